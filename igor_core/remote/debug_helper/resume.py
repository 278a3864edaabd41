"""Resume a parked connection to debugpy for another debugger (3.6).

Each debugger begins with `initialize` and `attach`. debugpy has answered both already, so it gets
neither, and the debugger gets the earlier answers. After its `configurationDone` it hears where the
program is stopped, and which children want a debugger. From then on all messages are passed on.
"""

import json
import os

from igor_core.remote.debug_helper.dap import Messages
from igor_core.remote.debug_helper.dialogue import view_of

# The arguments of `initialize` that give numbers and paths their meaning.
AGREED = ("linesStartAt1", "columnsStartAt1", "pathFormat", "supportsStartDebuggingRequest")
# Numbers of igor's own messages start here; neither side counts so far.
OWN = 2000000007
OTHER_VIEW = (
    "igor: path mappings and justMyCode of the previous debugger stay in force until the program "
    "ends\n"
)


class Resume:
    """`asked` and `said` take a message and return the messages to (debugpy, the debugger)."""

    def __init__(self, dialogue):
        self.dialogue = dialogue
        # The new debugger counts from 1 again.
        self.offset = dialogue.last_asked
        self.attaching = None
        self.is_begun = False
        self.own = OWN
        self.forgotten = dict(dialogue.sources)
        self.forgets_functions = dialogue.has_functions

    def suits(self, data):
        """Whether the debugger with this first message can resume the connection."""
        try:
            message = json.loads(Messages().feed(data)[0].decode("utf-8"))
        except (ValueError, IndexError):
            return False
        theirs, ours = self.dialogue.client or {}, message.get("arguments") or {}
        agrees = all(theirs.get(name) == ours.get(name) for name in AGREED)
        return message.get("command") == "initialize" and agrees

    def asked(self, message):
        command = message.get("command")
        if message["type"] == "request" and not self.is_begun:
            if command == "initialize":
                return [], [self.answer(message, self.dialogue.capabilities)]
            if command == "attach":
                self.attaching = message
                return [], [self.event("initialized")]
            if command == "configurationDone":
                self.is_begun = True
                return self.unset(), self.beginning(message)
        if message["type"] == "response" and message.get("request_seq", 0) > OWN:
            return [], []
        if message["type"] == "request":
            source = (message.get("arguments") or {}).get("source") or {}
            if command == "setBreakpoints":
                self.forgotten.pop(source.get("path"), None)
            elif command == "setFunctionBreakpoints":
                self.forgets_functions = False
            message = dict(message, seq=message["seq"] + self.offset)
        self.dialogue.asked(message)
        return [message], []

    def said(self, message):
        self.dialogue.said(message)
        if message["type"] != "response":
            # The debugger must not hear of stops before its `configurationDone`.
            return [], [message] if self.is_begun else []
        asked = message.get("request_seq", 0)
        if asked <= self.offset or asked >= OWN:
            # An answer to the previous debugger, or to igor.
            return [], []
        return [], [dict(message, request_seq=asked - self.offset)]

    def beginning(self, done):
        dialogue, said = self.dialogue, [self.answer(done)]
        if self.attaching is not None:
            said.append(self.answer(self.attaching))
            if view_of(self.attaching.get("arguments") or {}) != dialogue.view:
                said.append(self.event("output", {"category": "console", "output": OTHER_VIEW}))
        if dialogue.process is not None:
            said.append(self.event("process", dialogue.process))
        said += self.children()
        said += [self.event("stopped", stop) for stop in dialogue.stopped.values()]
        return said + ([self.event("terminated")] if dialogue.has_left else [])

    def children(self):
        """Ask for a debugger for each live child, also if it had one before."""
        found = [each for each in self.dialogue.children if lives(each)]
        self.dialogue.children = found
        answered = self.dialogue.answered
        return [
            dict(each, seq=self.number()) if each["seq"] in answered else each for each in found
        ]

    def unset(self):
        """Clear breakpoints that the previous debugger has set and this one has not."""
        found = []
        for source in self.forgotten.values():
            found.append(self.request("setBreakpoints", {"source": source, "breakpoints": []}))
            self.dialogue.sources.pop(source.get("path"), None)
        if self.forgets_functions:
            found.append(self.request("setFunctionBreakpoints", {"breakpoints": []}))
        return found

    def request(self, command, arguments):
        number = self.number()
        return {"seq": number, "type": "request", "command": command, "arguments": arguments}

    def answer(self, message, body=None):
        return {
            "seq": self.number(),
            "type": "response",
            "request_seq": message["seq"],
            "command": message["command"],
            "success": True,
            "body": body or {},
        }

    def event(self, name, body=None):
        return {"seq": self.number(), "type": "event", "event": name, "body": body or {}}

    def number(self):
        self.own += 1
        return self.own


def lives(child):
    """Whether the child process that wants a debugger is still running."""
    about = (child.get("arguments") or {}).get("configuration") or child.get("body") or {}
    return os.path.exists("/proc/%d" % about.get("subProcessId", 0))
