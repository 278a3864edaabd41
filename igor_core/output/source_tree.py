"""Translates remote paths in output into local files of the project."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

# Longer paths are ignored.
LONGEST_PATH = 1024

_PACKAGES = frozenset({"site-packages", "dist-packages", "node_modules", ".venv"})
# Paths on the machine that built the compiler, and paths that are no source files.
_NOWHERE = ("/rustc/", "/proc/", "/dev/", "//")
# As in lua/igor/places/openable.lua: some addresses (zipfile:, tarfile::) have no slashes.
_ADDRESS = re.compile(r"(?:^|/)[A-Za-z][\w+.-]*:|[\x00-\x1f\x7f-\x9f]", re.ASCII)
_SOURCE = re.compile(
    r"\.(?:py[ixd]?|ipynb|[chfdm]|cc|cu[h]?|cpp|cxx|hh|hpp|hxx|inl|tcc|ipp|rs|go|[cm]?[jt]sx?|"
    r"java|kt|scala|rb|php|pl|pm|lua|sh|bash|jl|hs|ml|swift|zig|f90|asm|s|S|cmake|mk|txt|toml|"
    r"ya?ml|json|cfg|ini|rst|md)$"
)


def address(host: str, path: str) -> str:
    """Return the name under which an editor opens a host's file; `path` is absolute."""
    return f"igor://{host}{path}"


def is_address(path: str) -> bool:
    """Return whether a remote path could be an address to an editor, or has control characters:
    such a path is never opened."""
    return _ADDRESS.search(path) is not None


@dataclass(frozen=True)
class SourceLocation:
    """A file: an absolute local `path`, or else an absolute `remote` path where the program ran.

    `library`: it belongs not to the project but to a package, the interpreter or the compiler.
    """

    path: str = ""
    remote: str = ""
    library: bool = False


def _none(_name: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class SourceTree:
    """The project's files and where a host has them.

    `local` is the local root; `remote` are the remote folders that are the same tree. `exists`
    says whether the tree has a path, `named` lists its paths with a file name. `working` is the
    folder of the tree in which programs run. `dockerfile` is the dockerfile's path in the tree,
    `dockerfile_text` its content, for builds of images.
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
    ) -> "SourceTree":
        """Make the tree of these files."""
        paths = frozenset(files)
        names = defaultdict[str, list[str]](list)
        for path in paths:
            names[posixpath.basename(path)].append(path)
        return cls(
            local, tuple(remote), paths.__contains__, lambda name: names.get(name, ()),
            working, dockerfile, dockerfile_text,
        )  # fmt: skip

    def locate(
        self, path: str, folders: Iterable[str] = (), *, certain: bool
    ) -> SourceLocation | None:
        """Return the file that a remote `path` is, None if it can't be opened.

        A relative path starts in one of `folders` (as the program names them) or in the folder
        where the program runs. If `certain`, which is for formats that name only source files, it
        may also be a file that only the host has, or the only file of the tree with that name.
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
            return self._in_project(inner)
        if not certain or path.startswith(_NOWHERE) or not _is_source(path):
            return None
        return SourceLocation(remote=path, library=inner is None or _is_package(path))

    def _relative(self, path: str, folders: Iterable[str], certain: bool) -> SourceLocation | None:
        starts = [inner for folder in folders if (inner := self._start(folder)) is not None]
        for start in (*reversed(starts), self.working, ""):
            inner = posixpath.normpath(posixpath.join(start, path))
            if not inner.startswith("../") and self.exists(inner):
                return self._in_project(inner)
        return self._only(path) if certain else None

    def _only(self, path: str) -> SourceLocation | None:
        """Return the file of the tree whose path ends in `path`, if it is the only one."""
        ending = "/" + posixpath.normpath(path).lstrip("./")
        found = [
            inner
            for inner in self.named(posixpath.basename(path))
            if ("/" + inner).endswith(ending)
        ]
        return self._in_project(found[0]) if len(found) == 1 else None

    def inner(self, path: str) -> str | None:
        """Return an absolute path relative to the tree, "" for its root, None outside of it."""
        for root in self.remote:
            if path == root:
                return ""
            if path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) + 1 :]
        return None

    def _start(self, folder: str) -> str | None:
        return self.inner(posixpath.normpath(folder)) if folder.startswith("/") else folder

    def _in_project(self, inner: str) -> SourceLocation:
        return SourceLocation(path=posixpath.join(self.local, inner), library=_is_package(inner))


def _is_source(path: str) -> bool:
    """Return whether it may be a source file; C++'s own headers have no extension."""
    return bool(_SOURCE.search(path)) or path.startswith("/usr/include/")


def _is_package(path: str) -> bool:
    return not _PACKAGES.isdisjoint(path.split("/"))
