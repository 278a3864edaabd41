"""Pack a program of this folder, so that any Python from 3.6 on can run it. Itself runs locally.

A program is its main module and all modules of igor that this one imports, each as it stands in
its file. It travels in one of two ways; nothing is installed:

    standard input   `argv` starts a Python that reads `payload` and runs it
    a file           `file` is one Python file with everything in it
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_IMPORT = re.compile(r"^from (igor_core\.[\w.]+) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)

#: A line for a shell that was started instead of Python, and takes what it reads for commands. A
#: Python reads past it.
_GUARD = b"exit 71\n"
#: The exit status of such a shell.
SHELL_STATUS = 71

# In `ps` one reads the first string: it says which program of igor's that is. There is nothing in
# the line that a login shell (sh, bash, zsh, fish, csh) would expand within single quotes. It
# reads exactly the payload, so that whatever follows on standard input is the program's.
_BOOTSTRAP = (
    '"igor/{name}.py";import os,zlib;read=lambda n,d=b"":d if len(d)==n else '
    "read(n,d+(os.read(0,n-len(d))or os._exit(70)));"
    "read(8);exec(zlib.decompress(read(int(read(8)))))"
)
_LOADER = """
import sys
import types

for name, source in MODULES:
    module = sys.modules[name] = types.ModuleType(name)
    package, _, last = name.rpartition(".")
    setattr(sys.modules.setdefault(package, types.ModuleType(package)), last, module)
    exec(compile(source, name, "exec"), module.__dict__)
module.main()
"""


class Bundle:
    """A program as it travels. Nothing is read before it is needed.

    `sources` are its modules, each after those that it imports; the last one's `main` is called.
    """

    def __init__(self, main: str) -> None:
        self.main = main
        self.name = main.split(".")[2]

    @cached_property
    def sources(self) -> Mapping[str, str]:
        return dict(_with_imports(self.main, set()))

    @cached_property
    def file(self) -> str:
        """The text of a Python file that is the whole program."""
        modules = "".join(map(_literal, self.sources, self.sources.values()))
        about = f"# igor's {self.name}: its modules, and what runs the last of them."
        return f"{about}\nMODULES = [\n{modules}]\n{_LOADER}"

    @cached_property
    def payload(self) -> bytes:
        """What a Python started with `argv` reads first. Small, for a new connection's pace."""
        packed = zlib.compress(self.file.encode("utf-8"), 9)
        return _GUARD + b"%08d%s" % (len(packed), packed)

    def argv(self, arguments: Sequence[str] = (), *, site: bool = True) -> list[str]:
        """What follows `python`.

        It is isolated: neither the folder that it starts in nor the user's own packages can stand
        for a module; without `site`, no installed package either.
        """
        options = ["-I"] if site else ["-I", "-S"]
        return [*options, "-c", _BOOTSTRAP.format(name=self.name), *arguments]


def _literal(name: str, source: str) -> str:
    """An element of MODULES: still read line by line by whoever opens the file on a host."""
    lines = "\n".join(map(repr, source.splitlines(keepends=True)))
    return f"({name!r},\n{lines}),\n"


def _with_imports(module: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    seen.add(module)
    source = _path(module).read_text(encoding="utf-8")
    for imported in _imports(source):
        if imported not in seen:
            yield from _with_imports(imported, seen)
    yield module, source


def _imports(source: str) -> Iterator[str]:
    """The modules of igor that `source` takes names from, or takes as a whole."""
    for package, lines, line in _IMPORT.findall(source):
        if _path(package).is_file():
            yield package
        else:
            names = (name.strip() for name in (lines or line).split(","))
            yield from (f"{package}.{name}" for name in names if name)


def _path(module: str) -> Path:
    return _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
