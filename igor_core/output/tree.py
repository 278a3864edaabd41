"""A project's tree as the paths in output name it, and the place that a path means."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

# The path of a file, not of a file system's whole depth: longer ones are not looked at.
LONGEST_PATH = 1024

_PACKAGES = frozenset({"site-packages", "dist-packages", "node_modules", ".venv"})
# Paths that the compiler's makers had, not the machine.
_NOWHERE = ("/rustc/", "/proc/", "/dev/", "//")
# As lua/igor/places/openable.lua: some addresses (zipfile:, tarfile::) need no slashes.
_ADDRESS = re.compile(r"(?:^|/)[A-Za-z][\w+.-]*:|[\x00-\x1f\x7f-\x9f]", re.ASCII)
_SOURCE = re.compile(
    r"\.(?:py[ixd]?|ipynb|[chfdm]|cc|cu[h]?|cpp|cxx|hh|hpp|hxx|inl|tcc|ipp|rs|go|[cm]?[jt]sx?|"
    r"java|kt|scala|rb|php|pl|pm|lua|sh|bash|jl|hs|ml|swift|zig|f90|asm|s|S|cmake|mk|txt|toml|"
    r"ya?ml|json|cfg|ini|rst|md)$"
)


def address(host: str, path: str) -> str:
    """What a file that only a host has is opened as; `path` is absolute there."""
    return f"igor://{host}{path}"


def is_address(path: str) -> bool:
    """Whether an editor could take a path from a host for an address, or it holds control
    characters: no such path is opened."""
    return _ADDRESS.search(path) is not None


@dataclass(frozen=True)
class SourceLocation:
    """A file: `path` is local and absolute, or else `remote` is absolute where the program ran.

    `library`: not of the project, but of a package, the interpreter or the compiler.
    """

    path: str = ""
    remote: str = ""
    library: bool = False


def _none(_name: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Tree:
    """`local` is the project's root here; `remote` are the folders that are the same tree there.

    `exists` says whether the tree has a file of that path, `named` which paths of the tree end in
    a file name. `working` is the tree's folder in which programs run. `dockerfile` is a path of
    the tree and `dockerfile_text` what stands in it, for images' builds.
    """

    local: str
    remote: tuple[str, ...]
    exists: Callable[[str], bool]
    named: Callable[[str], Sequence[str]] = _none
    working: str = ""
    dockerfile: str = ""
    dockerfile_text: str = ""

    @classmethod
    def of(
        cls,
        local: str,
        remote: Iterable[str],
        files: Iterable[str],
        *,
        working: str = "",
        dockerfile: str = "",
        dockerfile_text: str = "",
    ) -> "Tree":
        """The tree of these files."""
        paths = frozenset(files)
        names = defaultdict[str, list[str]](list)
        for path in paths:
            names[posixpath.basename(path)].append(path)
        return cls(
            local, tuple(remote), paths.__contains__, lambda name: names.get(name, ()),
            working, dockerfile, dockerfile_text,
        )  # fmt: skip

    def place(
        self, path: str, folders: Iterable[str] = (), *, certain: bool
    ) -> SourceLocation | None:
        """What `path` means, None where it means nothing that can be opened.

        Relative paths start from one of `folders` (as the program names them) or from where it
        runs. `certain`: the format leaves no doubt that this is a source file, so that it may be
        one that only the host has, or a tree's only file of that name.
        """
        path = path.removeprefix("file://")
        if not path or len(path) > LONGEST_PATH or path[0] in "<~-" or is_address(path):
            return None
        if path.startswith("/"):
            return self._absolute(posixpath.normpath(path), certain)
        return self._relative(path, folders, certain)

    def _absolute(self, path: str, certain: bool) -> SourceLocation | None:
        inner = self.inner(path)
        if inner is not None and self.exists(inner):
            return self._here(inner)
        if not certain or path.startswith(_NOWHERE) or not _is_source(path):
            return None
        return SourceLocation(remote=path, library=inner is None or _is_package(path))

    def _relative(self, path: str, folders: Iterable[str], certain: bool) -> SourceLocation | None:
        starts = [inner for folder in folders if (inner := self._start(folder)) is not None]
        for start in (*reversed(starts), self.working, ""):
            inner = posixpath.normpath(posixpath.join(start, path))
            if not inner.startswith("../") and self.exists(inner):
                return self._here(inner)
        return self._only(path) if certain else None

    def _only(self, path: str) -> SourceLocation | None:
        """The one file of the tree whose path ends so."""
        ending = "/" + posixpath.normpath(path).lstrip("./")
        found = [
            inner
            for inner in self.named(posixpath.basename(path))
            if ("/" + inner).endswith(ending)
        ]
        return self._here(found[0]) if len(found) == 1 else None

    def inner(self, path: str) -> str | None:
        """The tree's own path of an absolute one, "" for its root, None outside of it."""
        for root in self.remote:
            if path == root:
                return ""
            if path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) + 1 :]
        return None

    def _start(self, folder: str) -> str | None:
        return self.inner(posixpath.normpath(folder)) if folder.startswith("/") else folder

    def _here(self, inner: str) -> SourceLocation:
        return SourceLocation(path=posixpath.join(self.local, inner), library=_is_package(inner))


def _is_source(path: str) -> bool:
    """C++'s own headers have no ending."""
    return bool(_SOURCE.search(path)) or path.startswith("/usr/include/")


def _is_package(path: str) -> bool:
    return not _PACKAGES.isdisjoint(path.split("/"))
