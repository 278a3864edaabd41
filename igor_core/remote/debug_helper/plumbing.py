"""The keeper's input and output: the program's pipes, and peers on the unix socket (3.6)."""

import os
import selectors
import signal

from igor_core.remote.debug_helper.fd_passing import receive, send_some_with
from igor_core.remote.debug_helper.frames import Frames
from igor_core.remote.debug_helper.output_tail import PIECE_BYTES, OutputTail

# How far a control may lag behind the output before the program has to wait.
AHEAD_BYTES = 1 << 18


class KeeperPeer:
    """A connection to the keeper: the `files` it sent, and the `outgoing_file` to send to it."""

    def __init__(self, connection):
        connection.setblocking(False)
        self.connection = connection
        self.frames = Frames()
        self.outbox = b""
        self.files = []
        self.outgoing_file = None
        self.role = ""
        # For a relay: whether it wants debugpy's port or has it, and since when it is to yield.
        self.wants_port = self.has_port = False
        self.yields_since = None

    def send(self):
        if self.outgoing_file is None:
            return self.connection.send(self.outbox)
        sent = send_some_with(self.connection, self.outbox, self.outgoing_file.fileno())
        self.outgoing_file.close()
        self.outgoing_file = None
        return sent

    def close(self):
        self.connection.close()
        for descriptor in self.files:
            os.close(descriptor)
        if self.outgoing_file is not None:
            self.outgoing_file.close()


class Plumbing:
    """Moves bytes; subclasses give them meaning in `on_frame` and `on_gone`.

    `control` is the peer that gets the output, and has it up to `position`. `readers` maps
    descriptors to functions that are called when there is something to read.
    """

    def __init__(self, listener):
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.watched = {}
        self.peers = []
        self.control = None
        self.readers = {}
        self.position = 0
        self.process = None
        self.output = OutputTail()
        self.outputs = {}
        self.input = bytearray()
        self.input_ends = False
        self.woken, waker = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        listener.setblocking(False)

    def on_frame(self, peer, kind, payload):
        raise NotImplementedError

    def on_gone(self, peer):
        raise NotImplementedError

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        self.peers.append(KeeperPeer(connection))

    def drop(self, peer):
        if peer not in self.peers:
            return
        self.peers.remove(peer)
        self.unwatch(peer.connection.fileno())
        peer.close()
        self.on_gone(peer)

    def hear(self, peer):
        try:
            data, files = receive(peer.connection, PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        peer.files += files
        if not data:
            self.drop(peer)
            return
        for kind, payload in peer.frames.feed(data):
            self.on_frame(peer, kind, payload)

    def flush(self, peer):
        try:
            peer.outbox = peer.outbox[peer.send() :]
        except BlockingIOError:
            return
        except OSError:
            self.drop(peer)

    def watch(self):
        wanted = {self.listener.fileno(): selectors.EVENT_READ, self.woken: selectors.EVENT_READ}
        for peer in self.peers:
            writing = selectors.EVENT_WRITE if peer.outbox else 0
            wanted[peer.connection.fileno()] = selectors.EVENT_READ | writing
        wanted.update((descriptor, selectors.EVENT_READ) for descriptor in self.readers)
        # A control that does not read stops the program; without a control it runs on.
        if self.control is None or self.output.end - self.position < AHEAD_BYTES:
            wanted.update((descriptor, selectors.EVENT_READ) for descriptor in self.outputs)
        if self.process and self.process.stdin and (self.input or self.input_ends):
            wanted[self.process.stdin.fileno()] = selectors.EVENT_WRITE
        for descriptor in set(self.watched) - set(wanted):
            self.unwatch(descriptor)
        for descriptor, mask in wanted.items():
            if self.watched.get(descriptor) == mask:
                continue
            if descriptor in self.watched:
                self.selector.modify(descriptor, mask)
            else:
                self.selector.register(descriptor, mask)
            self.watched[descriptor] = mask

    def unwatch(self, descriptor):
        if self.watched.pop(descriptor, None) is not None:
            self.selector.unregister(descriptor)

    def handle(self, descriptor, mask):
        if descriptor == self.listener.fileno():
            self.accept()
        elif descriptor == self.woken:
            os.read(descriptor, 4096)
        elif descriptor in self.outputs:
            self.read_output(descriptor)
        elif descriptor in self.readers:
            self.readers[descriptor]()
        elif self.process and self.process.stdin and descriptor == self.process.stdin.fileno():
            self.write_input()
        else:
            for peer in [each for each in self.peers if each.connection.fileno() == descriptor]:
                if mask & selectors.EVENT_WRITE:
                    self.flush(peer)
                if mask & selectors.EVENT_READ and peer in self.peers:
                    self.hear(peer)

    def read_output(self, descriptor):
        try:
            data = os.read(descriptor, PIECE_BYTES)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if data:
            self.output.add(self.outputs[descriptor], data)
        else:
            self.unwatch(descriptor)
            del self.outputs[descriptor]
        return len(data)

    def write_input(self):
        stdin = self.process.stdin
        try:
            if self.input:
                del self.input[: os.write(stdin.fileno(), bytes(self.input[:PIECE_BYTES]))]
        except BlockingIOError:
            return
        except OSError:
            # The program has closed its input: drop the rest.
            self.input_ends = True
            self.input.clear()
        if self.input_ends and not self.input:
            self.unwatch(stdin.fileno())
            stdin.close()
            self.process.stdin = None
