"""Hosts that lie, or are broken: what they say ends their connection with one sentence, fills no
memory, and harms no other host."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.remote.frames import BEAT, HEADER, READY
from igor_core.remote.supervisor import frames
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, complete
from tests.lab import Host
from tests.support.agent_client import wait_until
from tests.support.lying import lying, program, within
from tests.support.remote import connected


@pytest.fixture
async def host(ssh_home: Path, plain_host: Host) -> AsyncIterator[RemoteHost]:
    async with connected("plain") as made:
        yield made


def frame(kind: int, number: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, number, len(payload)) + payload


def ended(**changes: object) -> bytes:
    said = {"status": 0, "ended": "", "error": "", **changes}
    return json.dumps({name: value for name, value in said.items() if value is not ...}).encode()


EXIT, STDOUT, STDERR, CREDIT = (
    frames.EXIT,
    frames.STDOUT,
    frames.STDERR,
    frames.CREDIT,
)
# Kind, payload, how often; and what is said of it.
FRAMES = {
    "an unknown member": (EXIT, ended(core="dumped"), 1, "unknown 'core'"),
    "a member that is missing": (EXIT, ended(error=...), 1, "has no 'error'"),
    "a status that is a text": (EXIT, ended(status="0"), 1, "'status'"),
    "a status that is huge": (EXIT, ended(status=1 << 80), 1, "'status'"),
    "a status that is negative": (EXIT, ended(status=-1), 1, "'status'"),
    "a status that is no number": (EXIT, b'{"status":NaN,"ended":"","error":""}', 1, "no JSON"),
    "a status that is a truth": (EXIT, ended(status=True), 1, "'status'"),
    "an error that is a list": (EXIT, ended(error=[]), 1, "'error'"),
    "an error without end": (EXIT, ended(error="x" * 50_000), 1, "50000 characters"),
    "a list": (EXIT, b"[]", 1, "no object"),
    "deep nesting": (EXIT, b"[" * 60_000, 1, "nested too deeply"),
    "no UTF-8": (EXIT, b'{"error":"\xff\xfe"}', 1, "no JSON"),
    "nothing": (EXIT, b"", 1, "no JSON"),
    "output without credit": (STDOUT, bytes(1 << 19), 5, "more output than there was credit for"),
    "errors without credit": (STDERR, bytes(1 << 19), 5, "more output than there was credit for"),
    "empty output": (STDOUT, b"", 1, "no output"),
    "credit that was never used": (CREDIT, struct.pack(">I", 1 << 31), 1, "more credit"),
    "half a credit": (CREDIT, b"\0", 1, "4 bytes"),
    "a kind that is not there": (99, b"", 1, "kind 99"),
    "a kind of the agent's": (frames.START, b"{}", 1, "kind 1"),
    "being ready twice": (READY, b"{}", 1, "ready twice"),
    "a heartbeat of the future": (BEAT, struct.pack(">d", 1e300), 1, "never sent"),
    "a heartbeat that is no number": (BEAT, struct.pack(">d", float("nan")), 1, "never sent"),
    "half a heartbeat": (BEAT, b"1234", 1, "8 bytes"),
}


@pytest.mark.parametrize(("kind", "payload", "count", "said"), FRAMES.values(), ids=FRAMES)
async def test_an_invalid_frame_ends_the_connection_with_one_clear_error(
    host: RemoteHost, kind: int, payload: bytes, count: int, said: str
) -> None:
    process = await host.start(Command(["sleep", "100"], cwd="/"))
    assert host._supervisor
    far = host._supervisor._program
    assert far
    for _ in range(count):
        far.data_received(frame(kind, process.ident, payload), None)
    assert await asyncio.wait_for(process.wait(), 10) == 255
    assert "nonsense" in process.error
    assert said in process.error
    assert len(process.error) < 300
    assert host.state == "not connected"
    with pytest.raises(HostError, match=r"the connection to plain was lost: .*nonsense"):
        await host.run(["true"])


async def test_a_frame_longer_than_any_is_not_waited_for(host: RemoteHost) -> None:
    assert host._supervisor
    far = host._supervisor._program
    assert far
    far.data_received(HEADER.pack(STDOUT, 1, (1 << 32) - 1), None)
    assert "a frame of 4294967295 bytes" in host.reason


async def test_output_in_crumbs_takes_little_memory_and_keeps_its_order(host: RemoteHost) -> None:
    process = await host.start(Command(["sleep", "100"], cwd="/"))
    wanted = {"stdout": bytearray(), "stderr": bytearray()}
    for number in range(100_000):
        stream = "stderr" if number % 2 else "stdout"
        process.received(stream, b"%d" % (number % 10))
        wanted[stream] += b"%d" % (number % 10)
    assert len(process._output) < 10_000
    found = {"stdout": bytearray(), "stderr": bytearray()}
    while process._output:
        item = await process.read()
        assert item
        found[item[0]] += item[1]
    assert found == wanted


# -- a host whose programs lie, from the first byte on

RUN = """
import asyncio, sys
from igor_core.errors import IgorError
from igor_core.ssh.address import Address
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login
from igor_core.ssh.process import Command, Completed

async def main():
    host = RemoteHost(Address(sys.argv[1]))
    try:
        await host.connect(Login())
        done = await host.run(sys.argv[2:])
        print("done", done.status, len(done.stdout))
        await host.run(["true"])
        print("lives")
    except IgorError as error:
        print("error", error.message, host.state)
    print("supervised", host.has_supervisor)

asyncio.run(main())
"""
STARTED = """
        process = await host.start(Command(sys.argv[2:]))
        await process.wait()
        done = Completed(process.status, b"", b"")"""
GB = 1 << 30
FLOODS = {
    "output of a program": (
        """
if is_supervisor:
    def start(self, ident, order):
        self.flush()
        flood(b"".join([space["sys"].modules["igor_core.remote.frames"].HEADER.pack(17, ident,
              1 << 16), bytes(1 << 16)]))
    module.Supervisor.start = start
""",
        "it printed more than 16 MB and was killed: cat /dev/null",
    ),
    "a greeting that never comes": ("flood(b'Welcome! ' * 7000)", "more than 1 MB before"),
    "half a greeting, again and again": (
        "flood((b'\\\\0igor-supervisor-' * 3000)[:40000])",
        "more than 1 MB before",
    ),
    "facts without end": (
        """
if is_supervisor:
    real = module.Supervisor.send_json
    module.Supervisor.send_json = lambda self, kind, ident, value: real(
        self, kind, ident, dict(value, home="/" + "x" * 500000))
""",
        "'home' of what it says of itself has 500001 characters",
    ),
    "facts of the wrong kind": (
        """
if is_supervisor:
    real = module.Supervisor.send_json
    module.Supervisor.send_json = lambda self, kind, ident, value: real(
        self, kind, ident, dict(value, uid="root"))
""",
        "'uid' of what it says of itself is no number",
    ),
}


@pytest.mark.parametrize(("lies", "said"), FLOODS.values(), ids=FLOODS)
def test_a_lying_python3_fills_no_memory(
    ssh_home: Path, plain_host: Host, lies: str, said: str
) -> None:
    with lying(plain_host, lies):
        done = within(GB, RUN, "plain", "cat", "/dev/null")
    assert done.stdout.startswith("error "), done
    assert said in done.stdout
    assert done.stdout.count("\n") == 2
    assert "Traceback" not in done.stderr


def test_output_that_nobody_reads_fills_no_memory(ssh_home: Path, plain_host: Host) -> None:
    lies, _said = FLOODS["output of a program"]
    code = RUN.replace("done = await host.run(sys.argv[2:])", STARTED)
    with lying(plain_host, lies):
        done = within(GB, code, "plain", "cat")
    assert "more output than there was credit for" in done.stdout, done
    assert "not connected" in done.stdout


def test_a_login_shell_that_prints_much_does_no_harm(ssh_home: Path, plain_host: Host) -> None:
    bashrc = plain_host.path(".bashrc")
    before = bashrc.read_text()
    bashrc.write_text("head -c 900000 /dev/zero | tr '\\0' '\\n'\n" + before)
    try:
        done = within(GB, RUN, "plain", "echo", "x")
    finally:
        bashrc.write_text(before)
    assert done.stdout == "done 0 2\nlives\nsupervised True\n", done


@pytest.mark.parametrize("where", ["1", "2"], ids=["stdout", "stderr"])
@pytest.mark.parametrize("supervised", [True, False])
def test_a_docker_that_prints_endlessly_is_killed_and_the_host_stays_up(
    ssh_home: Path, plain_host: Host, pythonless_host: Host, where: str, supervised: bool
) -> None:
    there = plain_host if supervised else pythonless_host
    with program(there, "docker", f"#!/bin/sh\nexec yes 'all is well' >&{where}\n"):
        done = within(GB, RUN, there.name, "docker", "info")
    assert done.stdout.startswith(
        f"error {there.name}: it printed more than 16 MB and was killed: docker info connected"
    ), done


async def test_what_was_killed_for_its_output_is_gone(host: RemoteHost, plain_host: Host) -> None:
    with pytest.raises(HostError, match="more than 1 MB and was killed: yes"):
        await host.run(["yes"], most=1 << 20)
    await asyncio.to_thread(wait_until, lambda: not plain_host.pids("yes"), 20)
    assert (await host.run(["echo", "on"])).stdout == b"on\n"


async def test_a_program_that_the_host_never_kills_is_not_waited_for(
    ssh_home: Path, plain_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igor_core.ssh.process.END_SECONDS", 0.5)
    lies = "if is_supervisor:\n    module.Child.kill = lambda self: None\n"
    with lying(plain_host, lies):
        async with connected("plain") as host:
            process = await host.start(Command(["sleep", "100"], cwd="/"))
            await asyncio.wait_for(process.end(), 10)
            assert "did not kill it" in process.error
            assert (await host.run(["echo", "on"])).stdout == b"on\n"


async def test_one_host_that_lies_harms_no_other(
    ssh_home: Path, plain_host: Host, pythonless_host: Host
) -> None:
    """Both at once over one event loop; the honest one is slow, the liar is quick."""
    lies, _said = FLOODS["output of a program"]
    async with connected("pythonless") as honest:
        honest_one = await honest.start(Command(["sh", "-c", "cat; echo end"], cwd="/"))
        with lying(plain_host, lies):
            async with connected("plain") as liar:
                with pytest.raises(HostError, match="plain: it printed more than 16 MB"):
                    await liar.run(["true"])
        done = await complete(honest_one, b"whole\n" * 50_000)
        assert done.stdout == b"whole\n" * 50_000 + b"end\n"
        assert honest.state == "connected"
