"""A connection to debugpy whose debugger was cut off; it waits for the next debugger (3.6).

debugpy's messages are read meanwhile: a full socket would block the program.
"""

import json
import socket

from igor_core.remote.debug_helper.dap import Messages
from igor_core.remote.debug_helper.dialogue import Dialogue
from igor_core.remote.debug_helper.output_tail import PIECE_BYTES


class Parked:
    """`control` is the peer that was asked whether the debugger left on purpose."""

    def __init__(self, descriptor, fields, rest, control):
        self.connection = socket.socket(fileno=descriptor)
        self.connection.setblocking(False)
        self.dialogue = Dialogue(fields)
        self.messages = Messages(rest.encode("latin-1"))
        self.control = control

    def hear(self):
        """Note debugpy's messages; return whether it is still connected."""
        try:
            data = self.connection.recv(PIECE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        try:
            for body in self.messages.feed(data):
                self.dialogue.said(json.loads(body.decode("utf-8")))
        except ValueError:
            return False
        return bool(data) and self.dialogue.can_be_parked

    def fields(self):
        """What the next debugger's relay must know."""
        rest = self.messages.rest.decode("latin-1")
        return {"dialogue": self.dialogue.fields(), "rest": rest}
