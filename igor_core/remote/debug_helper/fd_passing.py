"""Pass open files between processes over a unix socket, see unix(7) (3.6)."""

import array
import socket

MOST = 4


def send_with(connection, data, descriptor):
    """Send all data, the file with the first byte, on a blocking connection."""
    sent = send_some_with(connection, data, descriptor)
    connection.sendall(data[sent:])


def send_some_with(connection, data, descriptor):
    """Return how many bytes were sent; the file went with the first."""
    files = array.array("i", [descriptor])
    return connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])


def receive(connection, size):
    """Return bytes, and the descriptors that came with them."""
    one = array.array("i").itemsize
    data, more, _flags, _address = connection.recvmsg(size, socket.CMSG_SPACE(MOST * one))
    found = array.array("i")
    for level, kind, payload in more:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(payload[: len(payload) - len(payload) % one])
    return data, list(found)
