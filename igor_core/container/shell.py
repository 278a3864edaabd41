"""What this package needs of a host: running commands there, one alone or several at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from igor_core.ssh.process import Completed


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
    """Run commands side by side, whatever becomes of each, in the time of one round trip."""
    done = await asyncio.gather(*(shell.run(command) for command in commands))
    return [Said(each.status, each.stdout, text(each.stderr)) for each in done]


def text(data: bytes) -> str:
    """What a program said, for people."""
    return data.decode("utf-8", "replace").strip()
