# mypy: ignore-errors
"""What one debugger and debugpy have said to each other, as far as another must know it (3.6)."""

# After these a thread runs; the answer comes before its next stop.
RUNS = ("continue", "next", "stepIn", "stepOut", "stepBack", "reverseContinue", "goto")


class Dialogue:
    """What is to be known of a debugger's connection for another one to go on with it.

    All of it is plain data, so that it can be handed on (`fields`).
    """

    def __init__(self, fields=None):
        # Of `initialize`: who asked, and what debugpy can do.
        self.client = self.capabilities = None
        self.is_up = self.is_child = self.has_left = False
        # Thread → the body of the event that says where it stands.
        self.stopped = {}
        self.process = None
        # Path → source, of files with breakpoints.
        self.sources = {}
        # What the adapter has asked for and nobody has answered: children wait for a debugger.
        self.unanswered = []
        self.last_asked = 0
        vars(self).update(fields or {})

    def fields(self):
        return dict(vars(self))

    @property
    def can_be_held(self):
        return self.is_up and not (self.is_child or self.has_left)

    def asked(self, message):
        """The debugger says this."""
        if message["type"] == "response":
            answered = message.get("request_seq")
            self.unanswered = [each for each in self.unanswered if each["seq"] != answered]
            return
        command, arguments = message["command"], message.get("arguments") or {}
        self.last_asked = max(self.last_asked, message["seq"])
        if command == "initialize":
            self.client = arguments
        elif command == "attach":
            self.is_child = "subProcessId" in arguments
        elif command in ("disconnect", "terminate"):
            self.has_left = True
        elif command == "setBreakpoints":
            source = arguments.get("source") or {}
            self.sources.pop(source.get("path"), None)
            if arguments.get("breakpoints"):
                self.sources[source.get("path")] = source
        elif command in RUNS:
            self.runs(arguments.get("threadId"), not arguments.get("singleThread"))

    def said(self, message):
        """The adapter says this."""
        if message["type"] == "request":
            self.unanswered.append(message)
        elif message["type"] == "response":
            command = message.get("command")
            if command == "initialize":
                self.capabilities = message.get("body") or {}
            elif command == "attach":
                self.is_up = bool(message.get("success"))
        else:
            self.happened(message["event"], message.get("body") or {})

    def happened(self, event, body):
        if event == "stopped":
            self.stopped[str(body.get("threadId"))] = body
        elif event == "continued":
            self.runs(body.get("threadId"), body.get("allThreadsContinued"))
        elif event == "thread" and body.get("reason") == "exited":
            self.runs(body.get("threadId"), False)
        elif event == "process":
            self.process = body
        elif event == "terminated":
            self.has_left = True

    def runs(self, thread, all_threads):
        if all_threads:
            self.stopped = {}
        else:
            self.stopped.pop(str(thread), None)
