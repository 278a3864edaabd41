"""The interface of a transport: what carries a push to a host, the receiver or rsync.

The rules of a push are not in a transport. What to write and delete has been decided, together with
what is expected at each path; a transport carries it out and reports what became of each path.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.transfer import Transfer
from igor_core.push.transport.launcher import Launcher
from igor_core.push.transport.work import OnProgress, Work


@dataclass(frozen=True)
class FoundTree:
    """A tree on a host: its real path, and whether it exists."""

    path: str
    exists: bool


class Transport(Protocol):
    """One tree on one host, reached in one way. All methods raise HostError.

    A `conditional` transport leaves it to the host to refuse a write where the file is not as
    expected; any other has to survey the paths just before.
    """

    name: str
    conditional: bool

    @property
    def alive(self) -> bool: ...

    @property
    def broken(self) -> str:
        """How the host broke the protocol, if that has ended the transport."""
        ...

    @property
    def launcher(self) -> Launcher | None:
        """Sends saves without a survey; None where that is not possible."""
        ...

    async def open(self, claim: str, *, writing: bool, take_over: bool) -> FoundTree:
        """Find the tree; with `writing` make and claim it. HostError if another clone owns it."""
        ...

    async def survey(self, request: SurveyRequest) -> dict[bytes, State | None]:
        """The states of those paths that are not as expected."""
        ...

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        """The sha256 of each path that is a readable file."""
        ...

    async def read(self, path: bytes, limit: int) -> bytes:
        """The first `limit` bytes of a file."""
        ...

    async def carry_out(self, work: Work, transfer: Transfer, on_progress: OnProgress) -> None: ...
