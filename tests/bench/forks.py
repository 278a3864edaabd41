"""Counts the processes that a contestant starts, as the kernel announces them.

The process connector (linux/cn_proc.h) tells root of each fork on the machine. The whole family of
the given processes is followed; threads are not counted.
"""

import os
import select
import socket
import struct
from collections.abc import Iterable
from types import TracebackType

_CONNECTOR = 11  # NETLINK_CONNECTOR
_IDX_PROC = _VAL_PROC = 1
_LISTEN, _IGNORE = 1, 2
_DONE = 3  # NLMSG_DONE
_FORK = 1
_NETLINK_HEADER = struct.Struct("=IHHII")
_CONNECTOR_HEADER = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQ")
_FORKED = struct.Struct("=IIII")
_BUFFER = 8 << 20


def fork_of(message: bytes) -> tuple[int, int, int] | None:
    """Parent's process, child's thread and process id in a message about a fork; else None."""
    at = _NETLINK_HEADER.size + _CONNECTOR_HEADER.size
    if len(message) < at + _EVENT.size + _FORKED.size:
        return None
    what, _cpu, _time = _EVENT.unpack_from(message, at)
    if what != _FORK:
        return None
    _thread, parent, child_thread, child = _FORKED.unpack_from(message, at + _EVENT.size)
    return parent, child_thread, child


class Forks:
    """Counts from `with` on; `count()` is for then. OSError where it isn't allowed."""

    def __init__(self, family: Iterable[int]) -> None:
        self._family = set(family)
        self.started = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR)

    def __enter__(self) -> "Forks":
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind((0, _IDX_PROC))
        self._ask(_LISTEN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ask(_IGNORE)
        self._socket.close()

    def count(self) -> int:
        """Processes started by the family until now."""
        while select.select([self._socket], [], [], 0)[0]:
            self.tell(self._socket.recv(1 << 16))
        return self.started

    def tell(self, message: bytes) -> None:
        """Count what the kernel says."""
        fork = fork_of(message)
        if fork is None:
            return
        parent, child_thread, child = fork
        if parent in self._family and child_thread == child:
            self._family.add(child)
            self.started += 1

    def _ask(self, operation: int) -> None:
        body = _CONNECTOR_HEADER.pack(_IDX_PROC, _VAL_PROC, 0, 0, 4, 0) + struct.pack(
            "=I", operation
        )
        length = _NETLINK_HEADER.size + len(body)
        self._socket.send(_NETLINK_HEADER.pack(length, _DONE, 0, 0, os.getpid()) + body)
