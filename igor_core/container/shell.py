"""What this package needs of a host: running a command there. Several go in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from igor_core.errors import HostError


class Completed(Protocol):
    """A command that has ended, and all that it wrote."""

    @property
    def status(self) -> int: ...

    @property
    def stdout(self) -> bytes: ...

    @property
    def stderr(self) -> bytes: ...


class Shell(Protocol):
    """A host, as far as images and containers need it. Each `run` is one round trip."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "",
    ) -> Completed: ...


#: Shell function `first N WORD…`: runs the first N words as a command.
FIRST = """\
first() {
    count=$1; shift; others=$(($# - count))
    while [ "$count" -gt 0 ]; do set -- "$@" "$1"; shift; count=$((count - 1)); done
    shift "$others"
    "$@"
}
"""

# What each command wrote, then \x1f, its standard error, \x1f, its status and \x1e: bytes that
# neither JSON nor ps lets through.
_BATCH = (
    FIRST
    + """\
while [ $# -gt 0 ]; do
    { said=$(first "$@" 2>&1 >&3 3>&- </dev/null); status=$?; } 3>&1
    printf '\\037%s\\037%s\\036' "$said" "$status"
    shift $(($1 + 1))
done
"""
)


@dataclass(frozen=True)
class Said:
    """One command of a batch: its exit status and what it wrote."""

    status: int
    stdout: bytes
    stderr: str


def counted(*commands: Sequence[str]) -> list[str]:
    """Commands as positional parameters of a script, each after the number of its words."""
    return [word for command in commands for word in (str(len(command)), *command)]


async def batch(shell: Shell, commands: Sequence[Sequence[str]]) -> list[Said]:
    """Run commands one after the other, whatever becomes of each, in one round trip."""
    done = await shell.run(["sh", "-c", _BATCH, "igor", *counted(*commands)])
    parts = done.stdout.split(b"\x1e")[:-1]
    if len(parts) != len(commands):
        raise HostError(
            f"the shell on the host did not do its part: {text(done.stderr) or done.status}"
        )
    return [_said(part) for part in parts]


def _said(part: bytes) -> Said:
    stdout, stderr, status = part.rsplit(b"\x1f", 2)
    return Said(int(status), stdout, text(stderr))


def text(data: bytes) -> str:
    """What a program said, for people."""
    return data.decode("utf-8", "replace").strip()
