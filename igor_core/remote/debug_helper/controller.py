"""The controller: joins standard input and output with the keeper. Runs beside the program (3.6).

With `--frames` it passes on the keeper's frames; else it behaves as the program itself, with one
more line of output, "IGOR-DEBUG " and JSON, as soon as debugpy listens. End of input means that
the client is gone.
"""

import json
import os
import sys
import threading
import time

from igor_core.remote.debug_helper.daemon import keep
from igor_core.remote.debug_helper.debuggee import check, environment_of
from igor_core.remote.debug_helper.env_marks import MARK_GROUP, end_marked
from igor_core.remote.debug_helper.folder import (
    HelperRefused,
    in_turn,
    join_session,
    make_session,
    sessions_of,
)
from igor_core.remote.debug_helper.frames import STDERR, STDIN, STDOUT, Frames, frame, note

MARKER = b"IGOR-DEBUG "
READ_BYTES = 1 << 16
END_SECONDS = 8.0


def serve(options):
    """Check the options, end the group's earlier session, start a keeper and control it."""
    check(options, environment_of(options))
    with in_turn():
        end_earlier(options.group)
        folder, listener = make_session(options.id, options.group)
    options.python = sys.executable
    keep(options, folder, listener)
    # Reap the first of its two forks.
    os.wait()
    listener.close()
    return control(options)


def end_earlier(group):
    """Ask each session of the group to end, wait for it, and kill what is left."""
    asked = []
    for ident in sessions_of(group):
        try:
            peer = join_session(ident)
            peer.sendall(note(do="stop", why="a newer session of its group was started"))
            asked.append(peer)
        except OSError:
            continue
    deadline = time.monotonic() + END_SECONDS
    for peer in asked:
        peer.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            while peer.recv(READ_BYTES):
                pass
        except OSError:
            pass
        peer.close()
    end_marked(MARK_GROUP, group)


def control(options):
    """Join a running session: the one named, else the latest of the group."""
    ident = options.id or (sessions_of(options.group) or [""])[-1]
    try:
        peer = join_session(ident) if ident else None
    except OSError:
        peer = None
    if peer is None:
        raise HelperRefused("gone", "no debugged program of this project is running")
    peer.sendall(note(do="control", **{"from": options.position}))
    return pass_frames(peer) if options.frames else be_the_program(peer)


def pass_frames(peer):
    def upward():
        for data in iter(lambda: os.read(0, READ_BYTES), b""):
            peer.sendall(data)
        os._exit(0)

    spawn(upward)
    for data in iter(lambda: peer.recv(READ_BYTES), b""):
        write_all(1, data)
    return 0


def be_the_program(peer):
    sending = threading.Lock()

    def send(data):
        with sending:
            peer.sendall(data)

    def upward():
        for data in iter(lambda: os.read(0, READ_BYTES), b""):
            send(frame(STDIN, data))
        os._exit(0)

    spawn(upward)
    frames = Frames()
    status, position = 70, 0
    for data in iter(lambda: peer.recv(READ_BYTES), b""):
        for kind, payload in frames.feed(data):
            if kind in (STDOUT, STDERR):
                write_all(1 if kind == STDOUT else 2, payload)
                position += len(payload)
                send(note(do="seen", position=position))
                continue
            said = json.loads(payload.decode("ascii"))
            position = said.get("position", position)
            if said.get("event") == "session" and said["phase"] == "listening":
                told = {name: said[name] for name in ("id", "pid", "port")}
                write_all(1, MARKER + json.dumps(told).encode("ascii") + b"\n")
            elif said.get("event") == "exited":
                status = said["status"]
    return status


def spawn(work):
    def run():
        try:
            work()
        except OSError:
            os._exit(70)

    threading.Thread(target=run, daemon=True).start()


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def refuse(refused, as_frames):
    """Report why nothing was started, as a note or as text; return exit status 2."""
    if as_frames:
        write_all(1, note(event="refused", **refused.fields))
    else:
        write_all(2, ("igor: %s\n" % refused).encode("utf-8", "surrogateescape"))
    return 2
