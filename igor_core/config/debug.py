"""The config's table `debug` as data: how programs are run and debugged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from igor_core.config import rules
from igor_core.config.rules import key

WEEK = 7 * 24 * 3600  # seconds


@dataclass(frozen=True)
class DebugProgram:
    """A program that can be debugged by its name, which is its key in `debug.programs`."""

    EITHER: ClassVar = ("program", "module")

    name: str
    program: str | None = field(
        default=None,
        metadata=key("The script, as a path from the project's root.", rules=rules.IN_PROJECT),
    )
    module: str | None = field(
        default=None,
        metadata=key("The module, as for 'python -m'.", rules=rules.MODULE),
    )
    args: tuple[str, ...] = field(
        default=(),
        metadata=key("The program's arguments.", rules=(rules.NO_NUL,)),
    )
    cwd: str | None = field(
        default=None,
        metadata=key(
            "Working directory: a path from the project's root, or an absolute path in the "
            "container. Default: the project's root.",
            rules=rules.WORKING_DIRECTORY,
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata=key(
            "Environment variables of the program.", names=rules.VARIABLE, rules=(rules.NO_NUL,)
        ),
    )
    python: str | None = field(
        default=None,
        metadata=key("Python in the container; overrides debug.python.", rules=rules.PROGRAM),
    )


@dataclass(frozen=True)
class Debug:
    """How programs are run and debugged."""

    python: str | None = field(
        default=None,
        metadata=key(
            "Python in the container. Default: that of $VIRTUAL_ENV; without it the first of "
            "/venv/<project>, python, python3 that the image has.",
            rules=rules.PROGRAM,
        ),
    )
    subprocess: bool = field(
        default=False,
        metadata=key("Also debug the program's child processes."),
    )
    just_my_code: bool = field(
        default=False,
        metadata=key("Step over the code of libraries."),
    )
    grace: float = field(
        default=30,
        metadata=key(
            "Seconds that a debugged program lives on after a lost connection; 0 ends it at once.",
            minimum=0,
            maximum=WEEK,
        ),
    )
    detach: bool = field(
        default=False,
        metadata=key("Leave a debugged program running when its debug session ends."),
    )
    programs: Mapping[str, DebugProgram] = field(
        default_factory=dict,
        hash=False,
        metadata=key("Programs that can be debugged by name.", names=rules.PROGRAM_NAME),
    )
