"""A TCP proxy that puts distance before a port: it delays each chunk by half a round trip.

It limits no bandwidth, and its delay can change while connections are open; order is kept. It is
its own process, in the network of a host, and ends with its standard input.

usage: delay.py LISTEN_PORT TARGET_PORT, then one line with the round trip in milliseconds for each
change on standard input; it answers each with "ok".
"""

import queue
import socket
import sys
import threading
import time

CHUNK = 1 << 18
#: Chunks on their way in one direction; only a reader that has stopped fills it.
IN_FLIGHT = 4096


class Distance:
    """Half the current round trip, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0


def pump(source: socket.socket, sink: socket.socket, distance: Distance) -> None:
    """Carry bytes one way until their end, which is delayed like the bytes."""
    flying: queue.Queue[tuple[float, bytes]] = queue.Queue(IN_FLIGHT)
    threading.Thread(target=land, args=(flying, sink), daemon=True).start()
    chunk = b"-"
    while chunk:
        try:
            chunk = source.recv(CHUNK)
        except OSError:
            chunk = b""
        flying.put((time.monotonic() + distance.seconds, chunk))


def land(flying: "queue.Queue[tuple[float, bytes]]", sink: socket.socket) -> None:
    while True:
        due, chunk = flying.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not chunk:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(chunk)
        except OSError:
            return


def carry(client: socket.socket, target_port: int, distance: Distance) -> None:
    try:
        target = socket.create_connection(("127.0.0.1", target_port))
    except OSError:
        client.close()
        return
    for end in (client, target):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=pump, args=(target, client, distance), daemon=True)
    back.start()
    pump(client, target, distance)


def accept(listener: socket.socket, target_port: int, distance: Distance) -> None:
    while True:
        client, _ = listener.accept()
        arguments = (client, target_port, distance)
        threading.Thread(target=carry, args=arguments, daemon=True).start()


def main() -> None:
    listen_port, target_port = int(sys.argv[1]), int(sys.argv[2])
    distance = Distance()
    listener = socket.create_server(("0.0.0.0", listen_port), backlog=64)
    threading.Thread(target=accept, args=(listener, target_port, distance), daemon=True).start()
    for line in sys.stdin:
        distance.seconds = float(line) / 2000
        print("ok", flush=True)


if __name__ == "__main__":
    main()
