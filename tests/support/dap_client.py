"""A small debugger: the Debug Adapter Protocol as Vimspector and nvim-dap speak it.

Both connect to the port, send `initialize`, then `attach` without waiting for its answer; at
`initialized` the breakpoints and `configurationDone`. For children ("startDebugging") both connect
again to the same port. Vimspector leaves by `disconnect`; nvim-dap closes when it hears of the
end, Vimspector does not.
"""

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 60.0

Message = dict[str, Any]


class DapError(Exception):
    """A request failed, or the connection has ended."""


class Debugger:
    """One connection to an adapter. `children` are those that it was asked to make.

    By `connection` where that is not to a port.
    """

    def __init__(
        self, port: int, host: str = "127.0.0.1", connection: socket.socket | None = None
    ) -> None:
        self.events: list[Message] = []
        self.children: list[Message] = []
        self.closed = False
        self.refused = ""
        self.port = port
        self._socket = connection or socket.create_connection((host, port), SECONDS)
        self._socket.settimeout(None)
        self._sequence = 0
        self._is_initialized = False
        self._answers: dict[int, queue.Queue[Message]] = {}
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Debugger":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # -- the way in

    def initialize(self) -> None:
        self.request("initialize", adapterID="igor", clientID="test", pathFormat="path",
                     linesStartAt1=True, columnsStartAt1=True,
                     supportsStartDebuggingRequest=True)  # fmt: skip
        self._is_initialized = True

    def attach(
        self, local: Path | str, remote: str, breakpoints: dict[str, list[int]], **more: Any
    ) -> "Debugger":
        """Start the dialogue until the program runs; `breakpoints` are lines of local files."""
        if not self._is_initialized:
            self.initialize()
        mapping = [{"localRoot": str(local), "remoteRoot": remote}]
        attaching = self.send("attach", justMyCode=False, pathMappings=mapping, type="python",
                              connect={"host": "127.0.0.1", "port": self.port}, **more)  # fmt: skip
        self.wait_for("initialized")
        for path, lines in breakpoints.items():
            found = self.request("setBreakpoints", source={"path": path},
                                 breakpoints=[{"line": line} for line in lines])  # fmt: skip
            assert all(each["verified"] for each in found["breakpoints"]), found
        self.request("setExceptionBreakpoints", filters=[])
        self.request("configurationDone")
        self.answer_to(attaching)
        return self

    # -- at a stop

    def stopped(self, seconds: float = SECONDS) -> int:
        """Wait for the next stop; return its thread."""
        thread: int = self.wait_for("stopped", seconds)["threadId"]
        return thread

    def frames(self, thread: int) -> list[Message]:
        found: list[Message] = self.request("stackTrace", threadId=thread)["stackFrames"]
        return found

    def variables(self, frame: Message) -> dict[str, str]:
        scopes = self.request("scopes", frameId=frame["id"])["scopes"]
        found = self.request("variables", variablesReference=scopes[0]["variablesReference"])
        return {each["name"]: each["value"] for each in found["variables"]}

    def go_on(self, thread: int) -> None:
        self.request("continue", threadId=thread)

    # -- messages

    def request(self, command: str, **arguments: Any) -> Message:
        """Return the body of the answer."""
        return self.answer_to(self.send(command, **arguments))

    def send(self, command: str, **arguments: Any) -> int:
        self._sequence += 1
        number = self._sequence
        with self._news:
            self._answers[number] = queue.Queue()
            if self.closed:
                raise DapError("the connection has ended")
        self._write({"seq": number, "type": "request", "command": command, "arguments": arguments})
        return number

    def answer_to(self, number: int) -> Message:
        try:
            answer = self._answers[number].get(timeout=SECONDS)
        except queue.Empty:
            raise DapError(f"no answer; heard: {self.events[-5:]}") from None
        if not answer.get("success"):
            raise DapError(str(answer.get("message", "the connection has ended")))
        body: Message = answer.get("body") or {}
        return body

    def wait_for(self, event: str, seconds: float = SECONDS) -> Message:
        """Return the body of the next event of that name, once."""
        found = self._wait(lambda: self._next(event), seconds)
        body: Message = found.get("body") or {}
        return body

    def wait_for_child(self) -> Message:
        """Return the configuration of the next child."""
        self._wait(lambda: self.children)
        return self.children.pop(0)

    def wait_for_end(self, seconds: float = SECONDS) -> None:
        """Wait until the other side has closed."""
        self._wait(lambda: self.closed, seconds)

    def close(self) -> None:
        """Close without a request, as a killed debugger does."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _next(self, event: str) -> Message | None:
        for message in self.events:
            if message["event"] == event:
                self.events.remove(message)
                return message
        return None

    def _wait(self, found: Callable[[], Any], seconds: float = SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        with self._news:
            while not (result := found()):
                left = deadline - time.monotonic()
                if left <= 0 or self.closed or self.refused:
                    raise DapError(
                        f"closed: {self.closed}, {self.refused}; heard: {self.events[-5:]}"
                    )
                self._news.wait(left)
        return result

    def _write(self, message: Message) -> None:
        data = json.dumps(message).encode()
        try:
            self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        except OSError as error:
            raise DapError(str(error)) from None

    def _read(self) -> None:
        try:
            for message in _messages(self._socket):
                with self._news:
                    self._take(message)
                    self._news.notify_all()
        except (OSError, ValueError):
            pass
        with self._news:
            self.closed = True
            self._news.notify_all()
            for waiting in self._answers.values():
                waiting.put({"success": False})

    def _take(self, message: Message) -> None:
        if message["type"] == "response":
            if message["command"] == "attach" and not message["success"]:
                self.refused = message.get("message", "?")
            self._answers[message["request_seq"]].put(message)
        elif message["type"] == "event":
            self.events.append(message)
        elif message["command"] == "startDebugging":
            self.children.append(message["arguments"]["configuration"])
            self._write({"seq": 0, "type": "response", "request_seq": message["seq"],
                         "command": "startDebugging", "success": True})  # fmt: skip


def _messages(connection: socket.socket) -> Iterator[Message]:
    with connection.makefile("rb") as file:
        while True:
            length = 0
            while line := file.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return
            yield json.loads(file.read(length))
