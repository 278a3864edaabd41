"""What rsync writes to standard error, and what it means for the user."""

import re
from dataclasses import dataclass, field

from igor_core.errors import HostError, IgorError
from igor_core.own_folder import UNSAFE_STATUS
from igor_core.paths import unsafe_hint
from igor_core.push.transport.host_errors import connection_lost, hint_for
from igor_core.shapes import words

# rsync(1), "EXIT VALUES": some files changed or vanished while they were sent.
PARTIAL = (23, 24)
# The status with which a shell, env or igor's supervisor report a missing program.
NOT_FOUND = 127
# At most this much of each rsync's output is kept.
MOST_PIECES, PIECE_BYTES = 256, 1 << 12
# The first version that keeps nanoseconds where seconds are equal.
NEEDED = "3.1.3"

# 'rsync: [receiver] mkstemp "/…" failed: Permission denied (13)'
_REASON = re.compile(r"^rsync: .*: ([^:]+) \(\d+\)$", re.MULTILINE)


@dataclass
class RsyncOutput:
    """What both rsyncs wrote to standard error, and how the remote one ended.

    Only the beginning, with the first reason, and the end of each are kept.
    """

    local: list[bytes] = field(default_factory=list)
    remote: list[bytes] = field(default_factory=list)
    lost: bool = False
    remote_status: int | None = None

    @property
    def text(self) -> str:
        return b"".join([*self.remote, *self.local]).decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """The first reason that rsync gives for a file; empty if it gives none."""
        found = _REASON.search(self.text)
        return words(found[1]) if found else ""


def keep(pieces: list[bytes], data: bytes) -> None:
    """Keep the first MOST_PIECES pieces, and the last."""
    if len(pieces) < MOST_PIECES:
        pieces.append(data[:PIECE_BYTES])
    else:
        pieces[-1] = data[-PIECE_BYTES:]


def failure(host: str, status: int, output: RsyncOutput) -> IgorError:
    """The error for a transfer that failed as a whole."""
    if output.lost:
        return connection_lost(host)
    if output.remote_status == NOT_FOUND:
        return HostError(f"{host} has no rsync", "install the package rsync on the host")
    if output.remote_status == UNSAFE_STATUS:
        reason = output.text.strip().splitlines()[0]
        return HostError(f"{host}: {reason}", unsafe_hint('"dir"'))
    if "is your shell clean" in output.text:
        return HostError(
            f"{host}: the login shell prints something before rsync starts",
            f"this must print nothing: ssh {host} true",
        )
    if "unknown option" in output.text:
        place = host if output.remote_status is not None else "this machine"
        return HostError(f"rsync on {place} is too old", f"{NEEDED} or later is needed")
    reason = output.reason or (f"ended by signal {-status}" if status < 0 else f"status {status}")
    return HostError(f"{host}: rsync failed: {reason}", hint_for(reason))
