"""Whether a port of this machine is free, and which program has it."""

import errno
import socket
import subprocess
from dataclasses import dataclass

from igor_core.doctor.ports import listening_programs
from igor_core.doctor.run_args import PortRange

LOOPBACK = "127.0.0.1"
PROGRAM_SECONDS = 5.0


@dataclass(frozen=True)
class PortUse:
    """A port of the local loopback: why it can't be listened on, and the programs that have it.

    `holders` are like "code (pid 12)"; none where the system doesn't say which they are.
    """

    port: int
    trouble: str = ""
    holders: tuple[str, ...] = ()


def port_use(port: int) -> PortUse:
    """Try to listen on a port of the loopback. Blocks."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return PortUse(port, error.strerror or str(error))
            return PortUse(port, "taken", _holders(port))
    return PortUse(port)


def _holders(port: int) -> tuple[str, ...]:
    """Nothing where ss is not installed, as on macOS."""
    argv = ["ss", "-Hltunp", f"sport = :{port}"]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    wanted = PortRange(LOOPBACK, range(port, port + 1))
    found = listening_programs(done.stdout)
    return tuple(holder for at, holder in found.items() if holder and wanted.overlaps(at))
