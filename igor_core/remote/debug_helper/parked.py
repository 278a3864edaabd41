"""A debugger's connection to debugpy whose debugger was cut off: it waits for another (3.6).

Whatever debugpy says meanwhile is read, or it would hold up the program.
"""

import json
import socket

from igor_core.remote.debug_helper.dap import Messages
from igor_core.remote.debug_helper.dialogue import Dialogue
from igor_core.remote.debug_helper.output_tail import PIECE_BYTES


class Parked:
    """`control` is the far end that was asked whether the debugger went because it wanted to."""

    def __init__(self, descriptor, fields, rest, control):
        self.connection = socket.socket(fileno=descriptor)
        self.connection.setblocking(False)
        self.dialogue = Dialogue(fields)
        self.messages = Messages(rest.encode("latin-1"))
        self.control = control

    def hear(self):
        """Take note of what debugpy says; whether it is still there."""
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
        """What the next debugger's relay has to know."""
        rest = self.messages.rest.decode("latin-1")
        return {"dialogue": self.dialogue.fields(), "rest": rest}
