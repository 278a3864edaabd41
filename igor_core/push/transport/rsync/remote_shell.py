"""rsync's `-e` program: joins rsync's standard input and output to a channel of the agent.

rsync starts it in place of ssh. It passes on its arguments and then copies bytes both ways over an
inherited socket, so that the transfer needs no ssh connection of its own.
"""

import os
import selectors
import socket
import struct
import sys


def main() -> None:
    agent = socket.socket(fileno=int(os.environ["IGOR_RSYNC_FD"]))
    words = b"\0".join(os.fsencode(word) for word in sys.argv[1:])
    agent.sendall(struct.pack(">I", len(words)) + words)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(agent, selectors.EVENT_READ)
    while True:
        for key, _mask in selector.select():
            if key.fd == 0:
                data = os.read(0, 1 << 17)
                agent.sendall(data)
                if not data:
                    selector.unregister(0)
                    agent.shutdown(socket.SHUT_WR)
            else:
                data = agent.recv(1 << 17)
                if not data:
                    return
                write_all(data)


def write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
