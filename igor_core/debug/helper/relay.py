# mypy: ignore-errors
# ruff: noqa: UP031, B904
"""The relay: one debugger's connection. Beside the program (3.6).

It may be started long before it is used, even before its session: debugpy's port is connected to
when the first byte comes, never to try it. It ends with either side, and with its session.
"""

import json
import os
import socket
import time

from igor_core.debug.helper.controller import READ_BYTES, spawn, write_all
from igor_core.debug.helper.folder import Refused, join_session
from igor_core.debug.helper.frames import Frames, note

# How long a session may take to be there.
WAIT_SECONDS = 90.0
# A connection that is closed sooner stops debugpy's adapter for good.
LEAST_SECONDS = 0.1
LAST_SECONDS = 2.0


def relay(options):
    keeper = wait_for_session(options.id)
    first = os.read(0, READ_BYTES)
    if not first:
        return 0
    port = wait_for_port(keeper)
    peer = socket.create_connection(("127.0.0.1", port), 10)
    peer.settimeout(None)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.monotonic()

    def downward():
        for data in iter(lambda: peer.recv(READ_BYTES), b""):
            write_all(1, data)
        os._exit(0)

    def watch():
        """The keeper lets go of those that belong to a far end that is gone."""
        while keeper.recv(READ_BYTES):
            pass
        os._exit(0)

    spawn(downward)
    spawn(watch)
    data = first
    while data:
        peer.sendall(data)
        data = os.read(0, READ_BYTES)
    time.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - began)))
    peer.shutdown(socket.SHUT_WR)
    time.sleep(LAST_SECONDS)
    return 0


def wait_for_session(ident):
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            keeper = join_session(ident)
            keeper.sendall(note(do="relay"))
            return keeper
        except OSError:
            if time.monotonic() > deadline:
                raise Refused("gone", "there is no session %s" % ident)
        time.sleep(0.02)


def wait_for_port(keeper):
    frames = Frames()
    keeper.settimeout(WAIT_SECONDS)
    try:
        for data in iter(lambda: keeper.recv(READ_BYTES), b""):
            for _kind, payload in frames.feed(data):
                keeper.settimeout(None)
                return json.loads(payload.decode("ascii"))["port"]
    except OSError:
        pass
    raise Refused("gone", "the session has ended")
