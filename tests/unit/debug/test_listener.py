"""Which connections reach debugpy, and which debugger is the last to leave. Relays are faked."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from igor_core.debug.port.attach_listener import AttachListener
from igor_core.debug.port.listener import DebugListener
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command

INITIALIZE = b'{"type": "request", "command": "initialize"}'
DISCONNECT = b'{"type": "request", "command": "disconnect", "arguments": {}}'
CLIENT = """\
import os, socket, sys
family, address, port = getattr(socket, sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.setgroups([])
os.setuid(int(sys.argv[4]))
client = socket.socket(family)
client.settimeout(5)
client.connect((address, port))
client.sendall(b"Content-Length: 2\\r\\n\\r\\n{}")
if sys.argv[5] == "wait":
    try:
        print(client.recv(100).decode(), end="")
    except ConnectionResetError:
        pass
"""


class PretendedRelay:
    """Answers each message, and ends after a "disconnect", as debugpy does."""

    def __init__(self, heard: list[bytes]) -> None:
        self.finished = False
        self.status = 0
        self.error = ""
        self._heard = heard
        self._said: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()

    async def write(self, data: bytes) -> None:
        self._heard.append(data)
        self._said.put_nowait(("stdout", message(b'{"type": "response"}')))
        if b'"disconnect"' in data:
            self.write_eof()

    async def read(self) -> tuple[str, bytes] | None:
        return await self._said.get()

    def write_eof(self) -> None:
        self._said.put_nowait(None)

    async def end(self) -> None:
        self.finished = True
        self.write_eof()


class PretendedHost:
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def start(self, _command: Command) -> PretendedRelay:
        return PretendedRelay(self.heard)


class Scene:
    def __init__(self, kind: type[DebugListener]) -> None:
        self.host = PretendedHost()
        self.left = 0
        more: tuple[Any, ...] = (self.leaving,) if kind is DebugListener else (7, print)
        self.listener = kind(cast(RemoteHost, self.host), lambda: Command(["true"]), *more)

    async def leaving(self) -> None:
        self.left += 1

    def has_heard(self, text: bytes) -> bool:
        return any(text in data for data in self.host.heard)


@pytest.fixture(params=[DebugListener, AttachListener])
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    made = Scene(request.param)
    await made.listener.open(23900)
    yield made
    await made.listener.close()


@pytest.fixture
async def listener() -> AsyncIterator[Scene]:
    made = Scene(DebugListener)
    await made.listener.open(23950)
    yield made
    await made.listener.close()


def message(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def connect_as(scene: Scene, family: str, address: str, user: int, then: str) -> list[str]:
    port = str(scene.listener.port)
    return [sys.executable, "-I", "-c", CLIENT, family, address, port, str(user), then]


async def answer_to(scene: Scene, *how: Any) -> bytes:
    """What a client in another process receives."""
    process = await asyncio.create_subprocess_exec(
        *connect_as(scene, *how), stdout=asyncio.subprocess.PIPE
    )
    heard, _ = await process.communicate()
    assert process.returncode == 0
    return heard


WAYS = [("AF_INET", "127.0.0.1"), ("AF_INET6", "::ffff:127.0.0.1")]


@pytest.mark.parametrize(("family", "address"), WAYS)
async def test_another_users_connection_is_refused_for_any_address(
    listener: Scene, family: str, address: str
) -> None:
    assert await answer_to(listener, family, address, 65534, "wait") == b""
    assert listener.host.heard == []
    assert b"Content-Length" in await answer_to(listener, family, address, 0, "wait")


@pytest.mark.parametrize(("family", "address"), WAYS)
async def test_a_connection_closed_before_the_check_is_refused(
    listener: Scene, family: str, address: str
) -> None:
    # Blocks the event loop, so the listener accepts only after the client has ended.
    subprocess.run(connect_as(listener, family, address, 65534, "go"), check=True, timeout=20)  # noqa: ASYNC221
    await asyncio.sleep(0.3)
    assert listener.host.heard == []
    assert listener.left == 0


async def test_a_client_that_is_no_debugger_does_not_reach_debugpy(scene: Scene) -> None:
    for said in (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"Content-Hello: 1\r\n", b"C"):
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.listener.port)
        writer.write(said)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert scene.host.heard == []
    assert scene.left == 0


async def test_a_lowercase_header_in_pieces_is_accepted(scene: Scene) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.listener.port)
    for piece in (b"con", b"tent-length: %d" % len(INITIALIZE), b"\r\n\r\n" + INITIALIZE):
        writer.write(piece)
        await asyncio.sleep(0.05)
    assert b"Content-Length" in await reader.read(100)
    writer.close()


async def attached(scene: Scene) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.listener.port)
    writer.write(message(INITIALIZE))
    assert await reader.read(100)
    return reader, writer


async def test_the_last_of_two_debuggers_to_leave_ends_the_program(
    listener: Scene,
) -> None:
    both = [await attached(listener), await attached(listener)]
    for _reader, writer in both:
        writer.write(message(DISCONNECT))
    for reader, writer in both:
        await reader.read()
        writer.close()
    assert listener.left >= 1


async def test_the_first_of_two_debuggers_to_leave_ends_nothing(listener: Scene) -> None:
    (reader, writer), (_other, staying) = await attached(listener), await attached(listener)
    writer.write(message(DISCONNECT))
    await reader.read()
    writer.close()
    await asyncio.sleep(0.1)
    assert listener.has_heard(b'"disconnect"')
    assert listener.left == 0
    staying.close()
    await asyncio.sleep(0.2)
    assert listener.left >= 1


async def test_the_last_debugger_dropped_by_debugpy_ends_the_program(
    listener: Scene,
) -> None:
    relays: list[PretendedRelay] = []

    async def start(_command: Command) -> PretendedRelay:
        relays.append(PretendedRelay(listener.host.heard))
        return relays[-1]

    listener.host.start = start  # type: ignore[method-assign]
    reader, writer = await attached(listener)
    relays[0].write_eof()
    assert await reader.read() == b""
    writer.close()
    assert listener.left == 1
