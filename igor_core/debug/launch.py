"""The command lines of the debug helper, and the Python that runs it: data, nothing is run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from igor_core.project_python import FUNCTION
from igor_core.remote.packer import Bundle

# $1 is the Python that the config names, or empty; $2 the project's name.
_WITH_PYTHON = f"""\
{FUNCTION}
python=$(find_python "$1" "$2") || exit
shift 2
exec "$python" "$@"
"""
#: Its command lines read HELPER.payload from standard input first.
HELPER = Bundle("igor_core.remote.debug_helper.main")
#: As in remote/debug_helper/debuggee.py.
VARIABLE = "IGOR_DEBUG_ENVIRONMENT"


@dataclass(frozen=True)
class Python:
    """The Python that runs a project's programs: `configured`, or the first one found."""

    configured: str
    project: str

    def runs(self, arguments: Sequence[str]) -> list[str]:
        """Return the words that run it; the search order is VIRTUAL_ENV, /venv/PROJECT, PATH."""
        return ["sh", "-c", _WITH_PYTHON, "igor", self.configured, self.project, *arguments]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A program to debug.

    `words` follow `python` on its command line. A `group` has one session at a time; `ident` is a
    new name for it. `grace` is in seconds. `file` is the path of the program's remote file,
    `sha256` what its content must be. Without `cwd` the program runs in the helper's folder.
    """

    group: str
    ident: str
    words: Sequence[str]
    grace: float
    detach: bool
    subprocess: bool
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""

    def serve(self) -> list[str]:
        words = ["serve", "--frames", "--group", self.group, "--id", self.ident]
        words += ["--grace", f"{self.grace:g}"]
        words += ["--detach"] if self.detach else []
        words += ["--subprocess"] if self.subprocess else []
        for option, value in (("cwd", self.cwd), ("file", self.file), ("sha256", self.sha256)):
            words += [f"--{option}", value] if value else []
        return HELPER.argv([*words, "--", *self.words])

    @property
    def environment(self) -> dict[str, str]:
        """The variable that passes the program's environment: `ps` would show a command line."""
        return {VARIABLE: json.dumps(dict(self.env))} if self.env else {}


def control_words(group: str) -> list[str]:
    """Join the group's running session again."""
    return HELPER.argv(["control", "--frames", "--group", group])


def relay_words(ident: str) -> list[str]:
    """Relay one debugger's connection."""
    return HELPER.argv(["relay", "--id", ident])


def install_words() -> list[str]:
    """Install debugpy into igor's own remote folder."""
    return HELPER.argv(["install"])
