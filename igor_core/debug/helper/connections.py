# mypy: ignore-errors
"""Debuggers' connections to debugpy: who gets one, who has to give way, what is held (3.6)."""

import os
import time

from igor_core.debug.helper.frames import note
from igor_core.debug.helper.held import Held
from igor_core.debug.helper.plumbing import Plumbing

YIELD_SECONDS = 3.0


class Connections(Plumbing):
    """`port` is debugpy's, 0 before it listens."""

    def __init__(self, listener):
        Plumbing.__init__(self, listener)
        self.port = 0

    def tell(self, **fields):
        if self.control is not None:
            self.control.outbox += note(**fields)

    def hold(self, descriptor, order, may):
        """Keep a connection whose debugger is gone for the next one, if that `may` be."""
        if may and self.held is None:
            self.held = Held(descriptor, order["dialogue"], order["rest"], self.control)
            self.tell(event="held")
        else:
            os.close(descriptor)

    def release(self):
        """Nobody else is to go on with what is held: for debugpy the debugger has left."""
        held, self.held = self.held, None
        self.unwatch(held.connection.fileno())
        held.connection.close()

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
                continue
            held, self.held = self.held, None
            self.unwatch(held.connection.fileno())
            held.connection.setblocking(True)
            peer.gift = held.connection
            peer.outbox += note(port=self.port, **held.fields())
