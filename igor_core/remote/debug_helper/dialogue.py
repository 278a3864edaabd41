"""The state of a debugger's dialogue with debugpy, as the next debugger needs it (3.6)."""

# Requests after which a thread runs, unless they fail.
RUNS = ("continue", "next", "stepIn", "stepOut")
# Arguments of `attach` that say where sources are and what to show.
VIEW = ("pathMappings", "localRoot", "remoteRoot", "justMyCode", "rules")


class Dialogue:
    """What another debugger must know of a connection to resume it.

    All of it is plain data, which `fields` hands on.
    """

    def __init__(self, fields=None):
        # From `initialize`: the arguments, and debugpy's capabilities.
        self.client = self.capabilities = None
        self.is_up = self.is_child = self.has_left = False
        # From `attach`: the VIEW arguments.
        self.view = {}
        # Thread → the body of its `stopped` event, the latest last.
        self.stopped = {}
        # The same before the last request to run.
        self.stopped_before = {}
        self.process = None
        # Path → source of files with breakpoints.
        self.sources = {}
        self.has_functions = False
        # Messages that ask for a debugger for a child, and the numbers of those answered.
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
        """Note a message of the debugger."""
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
        """Note a message of debugpy."""
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
