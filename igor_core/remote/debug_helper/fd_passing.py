"""Open files that go from one process to another over a unix socket (3.6); see unix(7)."""

import array
import socket

MOST = 4


def send_with(connection, data, descriptor):
    """Send all of it, the file with its first byte. The connection blocks."""
    sent = send_some_with(connection, data, descriptor)
    connection.sendall(data[sent:])


def send_some_with(connection, data, descriptor):
    """How many bytes went; the file has gone with the first."""
    files = array.array("i", [descriptor])
    return connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])


def receive(connection, size):
    """Bytes, and the files that came with them."""
    one = array.array("i").itemsize
    data, more, _flags, _address = connection.recvmsg(size, socket.CMSG_SPACE(MOST * one))
    found = array.array("i")
    for level, kind, payload in more:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(payload[: len(payload) - len(payload) % one])
    return data, list(found)
