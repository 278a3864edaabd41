"""The helper's command lines, and by which Python it runs: data for whoever runs it there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from igor_core.debug.source import helper_words

# $1 is the Python that the config wants or nothing, $2 the project's name.
_WITH_PYTHON = """\
wanted=$1
venv=/venv/$2/bin/python
shift 2
if [ -n "$wanted" ]; then
    command -v "$wanted" >/dev/null && exec "$wanted" "$@"
    echo "there is no Python at $wanted" >&2
    exit 127
fi
for python in "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}" "$venv" python python3; do
    [ -n "$python" ] && command -v "$python" >/dev/null && exec "$python" "$@"
done
echo 'there is no Python' >&2
exit 127
"""
#: As in helper/debuggee.py.
VARIABLE = "IGOR_DEBUG_ENVIRONMENT"
#: The exit status where the Python is not there.
NO_PYTHON = 127


@dataclass(frozen=True)
class Python:
    """The Python of a project where its programs run: `configured`, or the first that is there."""

    configured: str
    project: str

    def runs(self, arguments: Sequence[str]) -> list[str]:
        """The words that run it: on its own, in the order VIRTUAL_ENV, /venv/PROJECT, PATH."""
        return ["sh", "-c", _WITH_PYTHON, "igor", self.configured, self.project, *arguments]


@dataclass(frozen=True)
class Launch:
    """A program to be debugged.

    `words` are what follows `python`; `group` is what may have one session at a time and `ident`
    a new name. `grace` is in seconds. `file` is the program's file there, `sha256` what it must
    be. Without `cwd` it runs where the helper is started.
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
        return helper_words([*words, "--", *self.words])

    @property
    def environment(self) -> dict[str, str]:
        """What `serve` finds in its own: the program's, which no command line is to show."""
        return {VARIABLE: json.dumps(dict(self.env))} if self.env else {}


def control_words(group: str) -> list[str]:
    """Attach again to what runs of a group."""
    return helper_words(["control", "--frames", "--group", group])


def relay_words(ident: str) -> list[str]:
    """One debugger's connection."""
    return helper_words(["relay", "--id", ident])


def install_words() -> list[str]:
    """Put debugpy into igor's own folder there."""
    return helper_words(["install"])
