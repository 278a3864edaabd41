"""The receiver: runs on a host, and writes the files that the agent sends.

Standard-library Python 3.6+, sent with the modules that it imports to `python3` on the host;
nothing is installed. The frames are those of frames.py.

It waits with the trees open, so that a save costs half a round trip. It writes a path only if that
is as the frame expects, so that no save waits for a survey and nothing that igor did not write is
lost. One thread handles all frames in order, except surveys and hashes, which go on step by step
between them. The receiver ends with its input, on a signal, or after 30 s of silence, and leaves
no temp file.
"""

import contextlib
import json
import os
import select
import signal
import struct
import sys
import time

from igor_core.remote.frames import BEAT, HEADER, READY, SILENCE_SECONDS
from igor_core.remote.receiver import frames
from igor_core.remote.receiver.handlers import BadFrame, Handlers

READ_BYTES = 1 << 18
# Answers are sent together, at the latest when they have this size.
FLUSH_BYTES = 1 << 15
# Nothing more is read while this much waits to be sent.
MOST_WAITING = 1 << 20
# Reads per turn, after which surveys go on and open folders are closed.
READS_A_TURN = 8


class Receiver:
    """The loop: frames in, answers out."""

    def __init__(self):
        self.handlers = Handlers(self.send)
        self.inbox = bytearray()
        self.outbox = bytearray(frames.MAGIC)
        self.heard = time.monotonic()
        self.open = True
        self.woken, self.waker = os.pipe()
        for descriptor in (0, 1, self.woken, self.waker):
            os.set_blocking(descriptor, False)

    def run(self):
        about = {"pid": os.getpid(), "python": list(sys.version_info[:3])}
        self.send(READY, 0, json.dumps(about).encode("ascii"))
        try:
            while self.open:
                self.turn()
        except (BadFrame, ValueError, LookupError, struct.error) as error:
            said = str(error) or type(error).__name__
            self.send(frames.NONSENSE, 0, said.encode("utf-8", "replace"))
            self.flush()
        finally:
            self.handlers.close()

    def turn(self):
        self.flush()
        self.handlers.forget_folders()
        full = len(self.outbox) >= MOST_WAITING
        reading = [self.woken] if full else [0, self.woken]
        idle = full or not self.handlers.jobs
        wait = SILENCE_SECONDS / 3 if idle else 0
        readable, _, _ = select.select(reading, [1] if self.outbox else [], [], wait)
        if 0 in readable:
            self.read_frames()
            self.flush()
        if not idle:
            self.handlers.step()
        if time.monotonic() - self.heard > SILENCE_SECONDS:
            self.open = False

    def read_frames(self):
        """Read and handle the frames that have arrived."""
        for _ in range(READS_A_TURN):
            if not self.open or len(self.outbox) >= MOST_WAITING:
                return
            try:
                data = os.read(0, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.open = False
                return
            self.inbox += data
            self.take_frames()
            if len(self.outbox) >= FLUSH_BYTES:
                self.flush()

    def take_frames(self):
        self.heard = time.monotonic()
        at = 0
        while len(self.inbox) - at >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self.inbox, at)
            if length > frames.MOST_BYTES:
                raise BadFrame(f"{length} bytes")
            start = at + HEADER.size
            if len(self.inbox) - start < length:
                break
            at = start + length
            payload = bytes(self.inbox[start:at])
            if kind == BEAT:
                self.send(BEAT, number, payload)
            else:
                self.handlers.handle(kind, number, payload)
        del self.inbox[:at]

    def send(self, kind, number, payload):
        self.outbox += HEADER.pack(kind, number, len(payload)) + payload

    def flush(self):
        try:
            while self.outbox:
                del self.outbox[: os.write(1, self.outbox)]
        except BlockingIOError:
            pass
        except OSError:
            self.open = False

    def stop(self, *_ignored):
        self.open = False
        with contextlib.suppress(BlockingIOError):
            os.write(self.waker, b"\0")


def main():
    receiver = Receiver()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(name, receiver.stop)
    receiver.run()
