"""What the host runs for rsync's transport: how paths get there, and what went wrong.

Paths travel on standard input, separated by NUL, never in a script.
"""

from collections.abc import Iterable
from typing import Protocol

from igor_core.errors import HostError
from igor_core.own_folder import UNSAFE_STATUS
from igor_core.paths import unsafe_hint
from igor_core.push.transport.host_errors import hint_for
from igor_core.shapes import words
from igor_core.ssh.process import MOST_OUTPUT, Completed

# The status with which a script ends where find is not GNU's.
NOT_GNU = 69


class Runner(Protocol):
    """A host that runs commands: a RemoteHost, or this machine in tests."""

    name: str

    async def run(
        self, argv: list[str], *, input: bytes = b"", most: int = MOST_OUTPUT
    ) -> Completed: ...


def joined(paths: Iterable[bytes]) -> bytes:
    """The input of `xargs -0`; "./" keeps a leading dash from being an option."""
    return b"".join(b"./" + path + b"\0" for path in paths)


def most_output(paths: bytes) -> int:
    """The most bytes in answer to joined paths: each path, and a line about it."""
    return MOST_OUTPUT + 2 * len(paths) + 128 * paths.count(b"\0")


def failed(host: Runner, done: Completed, folder: str) -> HostError:
    """The error for a script that failed; `folder` is what it was to work in."""
    if done.status == NOT_GNU:
        return HostError(
            f"{host.name}: a push needs GNU find on the host",
            "install the packages findutils and coreutils on the host",
        )
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = words(said[-1]) if said else f"exit status {done.status}"
    unsafe = done.status == UNSAFE_STATUS
    return HostError(f"{host.name}: {reason}", unsafe_hint(folder) if unsafe else hint_for(reason))
