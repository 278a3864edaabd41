"""One tree on one host: whole pushes and single saves, by one set of rules."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.files import File, Tree
from igor_core.push.report import Options, Report, Reporter
from igor_core.ssh.host import RemoteHost


@dataclass(frozen=True)
class Change:
    """A path that is not as it was: the file as it is now, or None where it is gone here.

    `content` and its sha256 `hash` are read once for all hosts; `content` is None for what is
    gone, for links, and for files too large to be held.
    """

    path: bytes
    file: File | None
    content: bytes | None = None
    hash: bytes = b""


class HostTree:
    """The tree of one clone (`root`) on one host; made by `Trees.on`, one for all who name it.

    `opened`: a push or a save can go at once, over a live receiver, or by rsync.
    `verified`: since the connection was made a whole push has compared everything.
    Neither is true any more when the connection is lost.
    """

    def __init__(self, remote: RemoteHost, paths: HostPaths, root: Path, transport: str) -> None:
        self.remote = remote
        self.paths = paths
        self.root = root
        self.transport = transport
        self.opened = False
        self.verified = False

    async def open(self) -> None:
        """Be ready for saves: start the receiver, open the tree. Raises HostError."""

    async def push(self, scan: Awaitable[Tree], options: Options, reporter: Reporter) -> Report:
        """Bring the whole tree there to the state of `scan`, whose end it needn't wait for.

        Raises HostError.
        """
        raise HostError(f"{self.remote.name}: not yet")

    def send(self, changes: Sequence[Change]) -> "asyncio.Future[Report]":
        """Bring just these paths there; in the warm case they are on the wire at return.

        Never raises; the future has the HostError.
        """
        sent: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        sent.set_exception(HostError(f"{self.remote.name}: not yet"))
        return sent

    async def read(self, path: bytes, limit: int) -> bytes:
        """The first bytes of a file there; what isn't a file is empty. Raises HostError."""
        raise HostError(f"{self.remote.name}: not yet")
