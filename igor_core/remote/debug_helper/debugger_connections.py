"""Debuggers' connections to debugpy: granted, taken back and parked (3.6)."""

import time

from igor_core.remote.debug_helper.frames import note
from igor_core.remote.debug_helper.parked import Parked
from igor_core.remote.debug_helper.plumbing import Plumbing

YIELD_SECONDS = 3.0


class DebuggerConnections(Plumbing):
    """`port` is debugpy's, 0 before it listens; `parked` waits for the next debugger."""

    def __init__(self, listener):
        Plumbing.__init__(self, listener)
        self.port = 0
        self.parked = None

    def tell(self, **fields):
        if self.control is not None:
            self.control.outbox += note(**fields)

    def park(self, peer, said):
        """Keep the connection that a relay hands over. The control is asked whether the debugger
        left on purpose, unless the relay was told to yield."""
        if self.parked is not None or not peer.files:
            return
        asked = self.control if peer.yields_since is None else None
        self.parked = Parked(peer.files.pop(), said["dialogue"], said["rest"], asked)
        self.readers[self.parked.connection.fileno()] = self.hear_parked
        if asked is not None:
            self.tell(event="parked")

    def hear_parked(self):
        if not self.parked.hear():
            self.take_parked().close()

    def release(self, peer):
        """The debugger left on purpose: close its connection to debugpy too."""
        if self.parked is not None and self.parked.control is peer:
            self.take_parked().close()

    def take_parked(self):
        """Return the parked connection, which is no longer parked."""
        parked, self.parked = self.parked, None
        del self.readers[parked.connection.fileno()]
        self.unwatch(parked.connection.fileno())
        return parked.connection

    def make_way(self):
        """Make all relays yield their connections."""
        for peer in [each for each in self.peers if each.role == "relay"]:
            if peer.has_port:
                peer.yields_since = time.monotonic()
                peer.outbox += note(do="yield")
            else:
                self.drop(peer)

    def answer_relays(self):
        """Grant debugpy's port to relays that want it, once earlier ones have yielded."""
        late = time.monotonic() - YIELD_SECONDS
        yielding = [peer for peer in self.peers if peer.yields_since is not None]
        for peer in [each for each in yielding if each.yields_since < late]:
            self.drop(peer)
        if not self.port or yielding:
            return
        for peer in [each for each in self.peers if each.wants_port]:
            peer.wants_port, peer.has_port = False, True
            if self.parked is None:
                peer.outbox += note(port=self.port)
            else:
                peer.outbox += note(port=self.port, **self.parked.fields())
                peer.outgoing_file = self.take_parked()
                peer.outgoing_file.setblocking(True)
