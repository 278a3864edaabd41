"""Which sockets listen on which ports, from the kernel's tables (proc(5), /proc/net/tcp)."""

import ipaddress
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

# States in the fourth column: a TCP socket that listens, a UDP socket that isn't connected.
LISTENS = {"tcp": "0A", "udp": "07"}
_PLACE = re.compile("(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}")
_NUMBER = re.compile("[0-9]{1,20}")
EVERYWHERE = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Listener:
    """One listening socket; `inode` identifies the process that holds it, `uid` its owner."""

    protocol: str
    address: str
    port: int
    uid: int
    inode: int


def listeners(table: str, protocol: str) -> list[Listener]:
    """The listening sockets in the text of /proc/net/tcp, tcp6, udp or udp6."""
    rows = [line.split() for line in table.splitlines()]
    return [
        Listener(protocol, *_place(row[1]), int(row[7]), int(row[9]))
        for row in rows
        if len(row) > 9
        and row[3] == LISTENS[protocol]
        and _PLACE.fullmatch(row[1])
        and _NUMBER.fullmatch(row[7])
        and _NUMBER.fullmatch(row[9])
    ]


def on_port(found: Iterable[Listener], protocol: str, address: str, ports: range) -> list[Listener]:
    """The sockets that prevent listening on `address` and one of `ports`."""
    return [
        one
        for one in found
        if one.protocol == protocol and one.port in ports and overlap(one.address, address)
    ]


def overlap(one: str, other: str) -> bool:
    """Whether two sockets cannot listen on these addresses with the same port."""
    return one in EVERYWHERE or other in EVERYWHERE or one == other


def _place(text: str) -> tuple[str, int]:
    """ "0100007F:0CEA" is 127.0.0.1, 3306: words of 32 bits in the machine's (little) order."""
    address, port = text.split(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    packed = struct.pack(f"<{len(words)}I", *words)
    parsed = ipaddress.ip_address(packed)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed), int(port, 16)
