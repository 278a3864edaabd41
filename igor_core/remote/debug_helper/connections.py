"""Debuggers' connections to debugpy: who gets one, who has to give way, what is held (3.6)."""

import time

from igor_core.remote.debug_helper.frames import note
from igor_core.remote.debug_helper.parked import Parked
from igor_core.remote.debug_helper.plumbing import Plumbing

YIELD_SECONDS = 3.0


class Connections(Plumbing):
    """`port` is debugpy's, 0 before it listens; `held` is kept for the next debugger."""

    def __init__(self, listener):
        Plumbing.__init__(self, listener)
        self.port = 0
        self.held = None

    def tell(self, **fields):
        if self.control is not None:
            self.control.outbox += note(**fields)

    def hold(self, peer, order):
        """Keep the connection that a relay hands over. Whoever is there is asked whether the
        debugger went because it wanted to; of one that had to give way that is known."""
        if self.held is not None or not peer.files:
            return
        asked = self.control if peer.yields_since is None else None
        self.held = Parked(peer.files.pop(), order["dialogue"], order["rest"], asked)
        self.readers[self.held.connection.fileno()] = self.hear_held
        if asked is not None:
            self.tell(event="held")

    def hear_held(self):
        if not self.held.hear():
            self.take_held().close()

    def release(self, peer):
        """The debugger has left: so it is for debugpy too."""
        if self.held is not None and self.held.control is peer:
            self.take_held().close()

    def take_held(self):
        """Its connection; it is held no more."""
        held, self.held = self.held, None
        del self.readers[held.connection.fileno()]
        self.unwatch(held.connection.fileno())
        return held.connection

    def make_way(self):
        """All relays that there are give up what they have."""
        for peer in [each for each in self.peers if each.role == "relay"]:
            if peer.has_port:
                peer.yields_since = time.monotonic()
                peer.outbox += note(do="yield")
            else:
                self.drop(peer)

    def answer_relays(self):
        """Who wants debugpy's port gets it, once those before have given way."""
        late = time.monotonic() - YIELD_SECONDS
        yielding = [peer for peer in self.peers if peer.yields_since is not None]
        for peer in [each for each in yielding if each.yields_since < late]:
            self.drop(peer)
        if not self.port or yielding:
            return
        for peer in [each for each in self.peers if each.wants_port]:
            peer.wants_port, peer.has_port = False, True
            if self.held is None:
                peer.outbox += note(port=self.port)
            else:
                peer.outbox += note(port=self.port, **self.held.fields())
                peer.gift = self.take_held()
                peer.gift.setblocking(True)
