"""Check which user connects to a debugger's port, and that the client is a debugger."""

import asyncio
import os
import socket
import struct
from pathlib import Path

CHUNK = 1 << 16
ESTABLISHED = "01"
#: Tables of sockets, see proc_net(5).
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

# The first bytes of each message of the Debug Adapter Protocol.
_HEADER = b"content-length:"


def is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether a connection belongs to this user; true where the system cannot tell (not Linux).

    debugpy has no authentication, and runs any code that it is sent. The table shows an end that
    is already closed as root's, whoever owned it: it is refused.
    """
    far, near = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
    ends = _table_end(far), _table_end(near)
    try:
        found = TABLES[0].read_text().splitlines()[1:]
    except OSError:
        return True
    if TABLES[1].exists():
        found += TABLES[1].read_text().splitlines()[1:]
    rows = [row.split() for row in found]
    # An IPv4-mapped IPv6 address ends with the IPv4 address.
    states = [
        (int(row[7]), row[3])
        for row in rows
        if row[1].endswith(ends[0]) and row[2].endswith(ends[1])
    ]
    return bool(states) and all(
        state == ESTABLISHED if user == 0 else user == os.getuid() for user, state in states
    )


async def first_bytes(reader: asyncio.StreamReader) -> bytes:
    """Return a debugger's first bytes, none if the client is anything else, e.g. a web page."""
    data = b""
    while len(data) < len(_HEADER) and _HEADER.startswith(data.lower()):
        more = await reader.read(CHUNK)
        if not more:
            return b""
        data += more
    return data if data.lower().startswith(_HEADER) else b""


def _table_end(address: tuple[str, int]) -> str:
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"
