"""Whether a local port is free, and which process has it."""

import errno
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from igor_core.doctor.listening import Listener, listeners, on_port

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Holder:
    """A process that listens; `pid` is 0 if the system does not say which one it is."""

    program: str
    pid: int


@dataclass(frozen=True)
class PortUse:
    """A port of the local loopback: why igor cannot listen on it, and which process has it."""

    port: int
    trouble: str = ""
    holders: tuple[Holder, ...] = ()


def port_use(port: int) -> PortUse:
    """Find what prevents listening on a port of the loopback. Blocks."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return PortUse(port, error.strerror or str(error))
        else:
            return PortUse(port)
    taken = on_port(_listeners(), "tcp", LOOPBACK, range(port, port + 1))
    return PortUse(port, "taken", _holders({listener.inode for listener in taken}))


def _listeners() -> list[Listener]:
    """The local listening sockets; none without /proc, as on macOS."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            found += listeners(Path("/proc/net", name).read_text(), "tcp")
        except OSError:
            continue
    return found


def _holders(inodes: set[int]) -> tuple[Holder, ...]:
    """The processes that hold the sockets; only root sees other users' processes."""
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return tuple(
        Holder(_program(process), int(process.name))
        for process in (Path("/proc").glob("[0-9]*") if sockets else ())
        if any(_points_at(descriptor, sockets) for descriptor in _descriptors(process))
    )


def _descriptors(process: Path) -> list[Path]:
    try:
        return list((process / "fd").iterdir())
    except OSError:  # another user's, or gone meanwhile
        return []


def _points_at(descriptor: Path, targets: set[str]) -> bool:
    try:
        return os.readlink(descriptor) in targets
    except OSError:
        return False


def _program(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a process"
    line = b" ".join(words[:3]).decode("utf-8", "replace").strip()
    return re.sub(r"[^ -~]", "?", line)[:60]
