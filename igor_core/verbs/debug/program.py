"""The program to debug: a file, a module, a test, or one that the config names."""

import hashlib
import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.config import Project
from igor_core.errors import UsageError
from igor_core.nearest import nearest
from igor_core.verbs.steps.named_files import below
from igor_core.verbs.steps.request import Job, list_argument, text_argument

KINDS = ("program", "module", "test", "name")


@dataclass(frozen=True)
class DebugTarget:
    """What follows `python`: `file`, a path from the project's root, or "-m" `module`; `args`.

    `test_file` is the file that a test is in. `cwd` is from the project's root or absolute there,
    `python` the one that the config wants.
    """

    args: tuple[str, ...]
    file: str = ""
    module: str = ""
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    test_file: str = ""

    @property
    def known_file(self) -> str:
        """The file that must be there, as it is here; empty where that is not known."""
        return self.file or self.test_file

    @property
    def title(self) -> str:
        return self.file or f"-m {self.module}"

    def words(self, root: str) -> list[str]:
        """`root` is the project's folder there."""
        if self.module:
            return ["-m", self.module, *self.args]
        return [posixpath.join(root, self.file) if self.cwd else _word(self.file), *self.args]

    def folder(self, root: str) -> str:
        return posixpath.join(root, self.cwd) if self.cwd else ""


def program_of(job: Job, project: Project) -> DebugTarget:
    """What the job's arguments ask for. Raises UsageError."""
    given = {kind: text for kind in KINDS if (text := text_argument(job, kind))}
    args = tuple(list_argument(job, "args"))
    if len(given) != 1:
        raise UsageError(
            "debug: which program?" if not given else f"debug: {' and '.join(given)} at once",
            "igor debug FILE, igor debug -m MODULE, igor debug --test FILE::TEST, or the name of "
            'one in "debug": {"programs": …}',
        )
    python = project.config.debug.python or ""
    if "name" in given:
        return _named(project, given["name"], args)
    if "module" in given:
        return DebugTarget(args, module=given["module"], python=python)
    if "test" in given:
        file, colons, test = given["test"].partition("::")
        path = _file(job, project, file)
        words = (_word(path + colons + test), *args)
        return DebugTarget(words, module="pytest", python=python, test_file=path)
    return DebugTarget(args, file=_file(job, project, given["program"]), python=python)


def _named(project: Project, name: str, args: tuple[str, ...]) -> DebugTarget:
    programs = project.config.debug.programs
    if name not in programs:
        known = ", ".join(programs) or "none"
        raise UsageError(
            f"debug: there is neither a file nor a program {name!r}{nearest(name, programs)}",
            f'the programs in "debug": {{"programs": …}} of {project.config_file}: {known}',
        )
    found = programs[name]
    return DebugTarget(
        (*found.args, *args), found.program or "", found.module or "", found.cwd or "",
        found.env, found.python or project.config.debug.python or "",
    )  # fmt: skip


def _file(job: Job, project: Project, name: str) -> str:
    """The path from the project's root of a file that is here."""
    if "\0" in name:
        raise UsageError(f"debug: {name!r} can't be the name of a file")
    path = below(project.root, Path(job.root), name)
    if path is None:
        raise UsageError(f"debug: {name} is not in the project {project.root}")
    if not (project.root / os.fsdecode(path)).is_file():
        raise UsageError(f"debug: there is no file {os.fsdecode(path)} in {project.root}")
    return os.fsdecode(path)


def needed_files(program: DebugTarget) -> Sequence[str]:
    """Words that name the files without which nothing is to be run."""
    words = ["-m", program.module] if program.module else [program.file]
    return [*words, *program.args]


def sha256_of(path: Path) -> str:
    """What the file there must be; "" where it can't be read here."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _word(path: str) -> str:
    """As an argument, which must not look like an option."""
    return f"./{path}" if path.startswith("-") else path
