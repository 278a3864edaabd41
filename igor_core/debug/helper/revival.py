# mypy: ignore-errors
"""Another debugger goes on with a connection that was kept when its own was lost (3.6).

It begins as each does, by `initialize` and `attach`. debugpy has had both already, so it is told
neither, and the debugger gets the answers of then; at the end of its beginning it hears where the
program stands. All else passes between the two.
"""

import json

from igor_core.debug.helper.dap import Messages

# What numbers and positions mean is agreed on at the beginning.
AGREED = ("linesStartAt1", "columnsStartAt1", "pathFormat", "supportsStartDebuggingRequest")
# Of what only igor says; neither side counts so far.
OWN = 2000000007


class Revival:
    """`asked` and `said` take a message and return what (debugpy, the debugger) is to hear."""

    def __init__(self, dialogue):
        self.dialogue = dialogue
        # The debugger counts from 1 again.
        self.offset = dialogue.last_asked
        self.attaching = None
        self.is_begun = False
        self.own = OWN
        self.forgotten = dict(dialogue.sources)

    def suits(self, data):
        """Whether the debugger that begins so can go on with the other's connection."""
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
        if message["type"] == "request":
            source = (message.get("arguments") or {}).get("source") or {}
            if command == "setBreakpoints":
                self.forgotten.pop(source.get("path"), None)
            message = dict(message, seq=message["seq"] + self.offset)
        self.dialogue.asked(message)
        return [message], []

    def said(self, message):
        self.dialogue.said(message)
        if message["type"] != "response":
            # Before it has begun, it is not to hear of stops; then it hears where all stands.
            return [], [message] if self.is_begun else []
        asked = message.get("request_seq", 0)
        if asked <= self.offset or asked >= OWN:
            # To who is gone, or to igor.
            return [], []
        return [], [dict(message, request_seq=asked - self.offset)]

    def beginning(self, done):
        said = [self.answer(done)]
        if self.attaching is not None:
            said.append(self.answer(self.attaching))
        if self.dialogue.process is not None:
            said.append(self.event("process", self.dialogue.process))
        stops = sorted(self.dialogue.stopped.items())
        return said + self.dialogue.unanswered + [self.event("stopped", stop) for _, stop in stops]

    def unset(self):
        """Breakpoints of files in which there are none any more."""
        found = []
        for source in self.forgotten.values():
            found.append(
                {
                    "seq": self.number(),
                    "type": "request",
                    "command": "setBreakpoints",
                    "arguments": {"source": source, "breakpoints": []},
                }
            )
            self.dialogue.sources.pop(source.get("path"), None)
        return found

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
