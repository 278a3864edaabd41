"""For tests of :IgorDebug with the fake agent: front ends, and ports of waiting programs."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fake_agent import FakeAgent
from tests.support.nvim.scene import Scene, scene

HERE = Path(__file__).parent
FILE = "src/deep/train.py"
PROGRAM = """\
def helper():
    return 1


class TestLoss:
    def test_nan(self):
        assert helper()


def test_one(tmp_path):
    text = '''
import os
'''
    assert text


class TestSetUp:
    def setup_method(self):
        self.value = 1
"""
CHANNEL = "return require('igor.job.list').channel"


def stand_in(name: str) -> Path:
    """Return the runtime folder of a stand-in for a front end."""
    return HERE / f"stand_in_{name}"


@contextmanager
def debug_scene(nvim: Path, home: Path, setup: str = "{}", *arguments: str) -> Iterator[Scene]:
    """A scene with a file two folders deep in the window."""
    with scene(nvim, home, setup, *arguments) as on:
        path = on.project / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROGRAM)
        on.editor.command(f"edit {FILE}")
        yield on


class Port:
    """A listener that holds its connections, or drops them at once."""

    def __init__(self, drops: bool = False) -> None:
        self.connections: list[socket.socket] = []
        self._drops = drops
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.number: int = self._listener.getsockname()[1]

    def accept(self, seconds: float = 60) -> socket.socket:
        self._listener.settimeout(seconds)
        connection, _address = self._listener.accept()
        connection.settimeout(seconds)
        self.connections.append(connection)
        if self._drops:
            connection.close()
        return connection

    def stop_listening(self) -> None:
        self._listener.close()

    def close(self) -> None:
        """Close all connections, as the agent does when the program has ended."""
        self._listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextmanager
def port(drops: bool = False) -> Iterator[Port]:
    its = Port(drops)
    try:
        yield its
    finally:
        its.close()


def listens(
    agent: FakeAgent, request: int, on: Scene, port: int, host: str = "apollo", rank: int = 0,
    **more: Any,
) -> None:  # fmt: skip
    """Make the agent report a program that waits for its debugger."""
    event = {
        "host": host, "rank": rank, "session": f"s{port}", "port": port, "process": 0,
        "configuration": "igor: attach dev", "local_root": str(on.project.resolve()),
        "remote_root": "/workspace", "just_my_code": False, "subprocess": False,
        "python": "/venv/bin/python", "command": [FILE], **more,
    }  # fmt: skip
    agent.event(request, "debuggee", **event)
