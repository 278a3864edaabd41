"""What one debugger and debugpy have said to each other, as far as another must know it (3.6)."""

# After these a thread runs, unless they are refused.
RUNS = ("continue", "next", "stepIn", "stepOut")
# What a debugger says of its sources and of what it wants to see.
VIEW = ("pathMappings", "localRoot", "remoteRoot", "justMyCode", "rules")


class Dialogue:
    """What is to be known of a debugger's connection for another one to go on with it.

    All of it is plain data, so that it can be handed on (`fields`).
    """

    def __init__(self, fields=None):
        # Of `initialize`: who asked, and what debugpy can do.
        self.client = self.capabilities = None
        self.is_up = self.is_child = self.has_left = False
        # Of `attach`: where the sources are.
        self.view = {}
        # Thread → the body of the event that says where it stands; the latest is the last.
        self.stopped = {}
        # The same before it was last asked to run.
        self.stopped_before = {}
        self.process = None
        # Path → source, of files with breakpoints.
        self.sources = {}
        self.has_functions = False
        # By what debugpy has asked for a debugger for a child, and what of that was answered.
        self.children = []
        self.answered = []
        self.last_asked = 0
        vars(self).update(fields or {})

    def fields(self):
        return dict(vars(self))

    @property
    def can_be_parked(self):
        return self.is_up and not (self.is_child or self.has_left)

    def asked(self, message):
        """The debugger says this."""
        if message["type"] == "response":
            self.answered.append(message.get("request_seq"))
            return
        command, arguments = message["command"], message.get("arguments") or {}
        self.last_asked = max(self.last_asked, message["seq"])
        if command == "initialize":
            self.client = arguments
        elif command == "attach":
            self.is_child = "subProcessId" in arguments
            self.view = view_of(arguments)
        elif command in ("disconnect", "terminate"):
            self.has_left = True
        elif command == "setBreakpoints":
            source = arguments.get("source") or {}
            self.sources.pop(source.get("path"), None)
            if arguments.get("breakpoints"):
                self.sources[source.get("path")] = source
        elif command == "setFunctionBreakpoints":
            self.has_functions = bool(arguments.get("breakpoints"))
        elif command in RUNS:
            self.stopped_before = dict(self.stopped)
            self.runs(arguments.get("threadId"), all_threads=not arguments.get("singleThread"))

    def said(self, message):
        """The adapter says this."""
        if message["type"] == "request":
            self.children.append(message)
        elif message["type"] == "response":
            command = message.get("command")
            if command == "initialize":
                self.capabilities = message.get("body") or {}
            elif command == "attach":
                self.is_up = bool(message.get("success"))
            elif command in RUNS and not message.get("success"):
                self.stopped = self.stopped_before
        else:
            if message["event"] == "debugpyAttach":
                self.children.append(message)
            self.happened(message["event"], message.get("body") or {})

    def happened(self, event, body):
        if event == "stopped":
            self.runs(body.get("threadId"), all_threads=False)
            self.stopped[str(body.get("threadId"))] = body
        elif event == "continued":
            self.runs(body.get("threadId"), all_threads=body.get("allThreadsContinued"))
        elif event == "thread" and body.get("reason") == "exited":
            self.runs(body.get("threadId"), all_threads=False)
        elif event == "process":
            self.process = body
        elif event == "terminated":
            self.has_left = True

    def runs(self, thread, *, all_threads):
        if all_threads:
            self.stopped = {}
        else:
            self.stopped.pop(str(thread), None)


def view_of(arguments):
    return {name: arguments[name] for name in VIEW if name in arguments}
