"""A local port whose connections each become a process on a host."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from igor_core.errors import IgorError
from igor_core.ssh.forward import Forward, listen
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command
from tests.lab import Host
from tests.support.agent_client import wait_until
from tests.support.remote import connected


@pytest_asyncio.fixture(params=["plain", "pythonless"])
async def host(
    request: pytest.FixtureRequest, ssh_home: Path, plain_host: Host, pythonless_host: Host
) -> AsyncIterator[RemoteHost]:
    async with connected(request.param) as found:
        yield found


async def open_port(
    host: RemoteHost, *argv: str, said: list[str] | None = None
) -> tuple[Forward, asyncio.StreamReader, asyncio.StreamWriter]:
    report = (said if said is not None else []).append
    forward = await listen(host, 0, lambda: Command(list(argv), cwd="/"), report)
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    return forward, reader, writer


async def test_each_connection_is_joined_to_a_process_of_its_own(host: RemoteHost) -> None:
    forward, *first = await open_port(host, "sh", "-c", "echo $$; exec cat")
    ports = [tuple(first)]
    ports += [await asyncio.open_connection("127.0.0.1", forward.port) for _ in range(4)]
    pids = set()
    for number, (reader, writer) in enumerate(ports):
        pids.add(await reader.readline())
        writer.write(b"%d\n" % number)
    for number, (reader, writer) in enumerate(ports):
        assert await reader.readline() == b"%d\n" % number
        writer.write_eof()
        assert await reader.read() == b""
    assert len(pids) == 5
    await forward.close()


async def test_ten_megabytes_come_back_unchanged(host: RemoteHost) -> None:
    forward, reader, writer = await open_port(host, "cat")
    data = bytes(range(256)) * 40_000

    async def feed() -> None:
        for at in range(0, len(data), 1 << 16):
            writer.write(data[at : at + (1 << 16)])
            await writer.drain()
        writer.write_eof()

    feeding = asyncio.ensure_future(feed())
    assert await reader.read(-1) == data
    await feeding
    await forward.close()


async def test_who_does_not_read_stops_the_process_and_who_is_not_read_waits(
    host: RemoteHost,
) -> None:
    forward = await listen(host, 0, lambda: Command(["cat"], cwd="/"), print)
    with socket.create_connection(("127.0.0.1", forward.port)) as connection:
        connection.setblocking(False)
        sent, stuck_since = 0, time.monotonic()
        while time.monotonic() - stuck_since < 1.0:
            try:
                sent += connection.send(bytes(1 << 16))
                stuck_since = time.monotonic()
            except BlockingIOError:
                await asyncio.sleep(0.02)
        assert sent < 64_000_000
    await forward.close()


async def test_a_connection_that_is_closed_ends_its_process(
    host: RemoteHost, plain_host: Host, pythonless_host: Host
) -> None:
    there = plain_host if host.name == "plain" else pythonless_host
    forward, reader, writer = await open_port(host, "sh", "-c", "echo up; cat; exec sleep 0.1")
    await reader.readline()
    writer.close()
    await asyncio.to_thread(wait_until, lambda: not there.pids("cat", "sleep"), 10)
    forward2, reader, writer = await open_port(host, "sleep", "83")
    await asyncio.sleep(0.5)
    await forward2.close()
    await asyncio.to_thread(
        wait_until, lambda: there.run(["pgrep", "-f", "^sleep 83"]).returncode == 1, 10
    )
    writer.close()
    await forward.close()


async def test_a_process_that_fails_closes_the_connection_and_is_reported(
    host: RemoteHost,
) -> None:
    said: list[str] = []
    forward, reader, writer = await open_port(host, "sh", "-c", "echo bad >&2; exit 3", said=said)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    await asyncio.to_thread(wait_until, lambda: said, 5)
    assert said == ["bad"]
    writer.close()
    await forward.close()


async def test_only_the_loopback_listens_and_a_taken_port_is_one_sentence(
    host: RemoteHost,
) -> None:
    forward = await listen(host, 0, lambda: Command(["cat"]), print)
    assert [where.getsockname()[0] for where in forward._server.sockets] == ["127.0.0.1"]  # type: ignore[union-attr]
    with pytest.raises(IgorError, match=f"127.0.0.1:{forward.port} can't be listened on: "):
        await listen(host, forward.port, lambda: Command(["cat"]), print)
    await forward.close()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", forward.port)
