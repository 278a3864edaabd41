"""The relay: carries one debugger's connection. Runs beside the program (3.6).

It may be started long before it is used, even before its session: it connects to debugpy only when
the first byte comes, never to probe the port. It ends with either side, and with its session. When
the debugger is cut off, the relay parks its connection with the keeper, so that a program stopped
at a breakpoint stays there; the next relay gets the connection from the keeper.
"""

import json
import os
import select
import signal
import socket
import threading
import time

from igor_core.remote.debug_helper.controller import READ_BYTES, spawn, write_all
from igor_core.remote.debug_helper.dap import Messages, packed
from igor_core.remote.debug_helper.dialogue import Dialogue
from igor_core.remote.debug_helper.fd_passing import receive, send_with
from igor_core.remote.debug_helper.folder import HelperRefused, join_session
from igor_core.remote.debug_helper.frames import Frames, note
from igor_core.remote.debug_helper.resume import Resume

# How long a session may take to start.
WAIT_SECONDS = 90.0
# If a connection is closed sooner, debugpy's adapter serves no other.
LEAST_SECONDS = 0.1
LAST_SECONDS = 2.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: The exit status if the debugger has not disconnected from debugpy.
OVER = 130


class CutOff(Exception):
    """The process that carries the debugger's bytes is being ended."""


def cut_off(_number, _frame):
    ignore_endings()
    raise CutOff


def ignore_endings():
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def relay(options):
    keeper = wait_for_session(options.id)
    first = first_message()
    if not first:
        return 0
    for number in ENDING:
        signal.signal(number, cut_off)
    try:
        own = Relay(keeper)
    except CutOff:
        return OVER
    return own.run(first)


class Relay:
    """Passes messages between standard input and output and debugpy."""

    def __init__(self, keeper):
        self.keeper = keeper
        self.from_debugger = Messages()
        # Held while messages are read, noted and put into the outbox, as one step.
        self.knowing = threading.Lock()
        self.outbox = b""
        self.writing = threading.Lock()
        self.sending = threading.Lock()
        self.is_half_sent = False
        self.has_reader = True
        self.connect()

    def connect(self):
        """Get the parked connection, or a new one."""
        self.peer, fields, rest = connected(self.keeper)
        self.began = time.monotonic()
        self.dialogue = Dialogue(fields)
        self.resume = Resume(self.dialogue) if fields else None
        self.from_debugpy = Messages(rest)

    def run(self, data):
        try:
            if self.resume is not None and not self.resume.suits(data):
                self.dialogue = Dialogue()
                self.peer.close()
                self.connect()
            spawn(self.downward)
            spawn(self.watch)
            while data:
                self.upward(data)
                data = os.read(0, READ_BYTES)
            ignore_endings()
        except CutOff:
            pass
        self.hand_over()
        self.peer.shutdown(socket.SHUT_WR)
        time.sleep(LAST_SECONDS)
        return 0

    def upward(self, data):
        with self.sending:
            self.is_half_sent = True
            with self.knowing:
                to_debugpy, to_debugger = self.passed(self.from_debugger, data, "asked")
                self.outbox += to_debugger
            if to_debugger:
                self.write()
            self.peer.sendall(data if self.resume is None else to_debugpy)
            self.is_half_sent = False

    def downward(self):
        while True:
            select.select([self.peer], [], [])
            with self.knowing:
                data = self.peer.recv(READ_BYTES)
                if not data:
                    os._exit(0)
                _, to_debugger = self.passed(self.from_debugpy, data, "said")
                self.outbox += data if self.resume is None else to_debugger
            self.write()

    def passed(self, stream, data, how):
        """Note each message; return what debugpy and the debugger get while resuming."""
        to_debugpy, to_debugger = [], []
        for body in stream.feed(data):
            try:
                message = json.loads(body.decode("utf-8"))
            except ValueError:
                # Without a dialogue there is nothing to resume.
                self.dialogue.has_left = True
                continue
            if self.resume is None:
                getattr(self.dialogue, how)(message)
            else:
                requests, answers = getattr(self.resume, how)(message)
                to_debugpy += requests
                to_debugger += answers
        return joined(to_debugpy), joined(to_debugger)

    def watch(self):
        """Wait for the keeper, which makes the relays of a lost client yield."""
        if self.keeper.recv(READ_BYTES):
            self.hand_over()
        os._exit(0)

    def hand_over(self):
        """Park the connection with the keeper, if it can be resumed, and exit."""
        time.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - self.began)))
        self.sending.acquire(timeout=LAST_SECONDS)
        with self.knowing:
            if not self.dialogue.can_be_parked or self.is_half_sent or self.from_debugger.rest:
                return
            rest = self.from_debugpy.rest.decode("latin-1")
            fields = self.dialogue.fields()
            send_with(self.keeper, note(do="park", dialogue=fields, rest=rest), self.peer.fileno())
            os._exit(OVER)

    def write(self):
        """Write what waits to the debugger. If it is gone, end of input follows."""
        with self.writing:
            with self.knowing:
                data, self.outbox = self.outbox, b""
            try:
                if self.has_reader:
                    write_all(1, data)
            except OSError:
                self.has_reader = False


def first_message():
    """Read until the debugger's first message is complete; b"" if none comes."""
    data = b""
    while not Messages().feed(data):
        more = os.read(0, READ_BYTES)
        if not more:
            return b""
        data += more
    return data


def joined(messages):
    return b"".join(packed(json.dumps(message).encode("utf-8")) for message in messages)


def wait_for_session(ident):
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            keeper = join_session(ident)
            keeper.sendall(note(do="relay"))
            return keeper
        except OSError:
            if time.monotonic() > deadline:
                raise HelperRefused("gone", "no session %s is running" % ident)
        time.sleep(0.02)


def connected(keeper):
    """Return a connection to debugpy; if it was parked, its dialogue and unread bytes too."""
    frames = Frames()
    try:
        keeper.sendall(note(do="connect"))
        keeper.settimeout(WAIT_SECONDS)
        descriptors = []
        while True:
            data, more = receive(keeper, READ_BYTES)
            descriptors += more
            if not data:
                break
            for _kind, payload in frames.feed(data):
                keeper.settimeout(None)
                return connection_to(json.loads(payload.decode("ascii")), descriptors)
    except OSError:
        pass
    raise HelperRefused("gone", "the session has ended")


def connection_to(said, descriptors):
    if descriptors:
        peer = socket.socket(fileno=descriptors[0])
    else:
        peer = socket.create_connection(("127.0.0.1", said["port"]), 10)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.settimeout(None)
    return peer, said.get("dialogue"), said.get("rest", "").encode("latin-1")
