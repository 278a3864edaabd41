"""Malicious receivers: an answer without a question ends the channel, and silence has a limit."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.channel.channel import Channel, ChannelTree
from igor_core.push.channel.precondition import NOTHING
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.remote.frames import HEADER
from igor_core.remote.receiver import frames
from igor_core.ssh.host import RemoteHost
from tests.lab import Host, Lab
from tests.support.lying import lying, within
from tests.support.push_project import Project
from tests.support.remote import connected

PATHS = [b"a", b"b"]


@pytest.fixture
async def host(ssh_home: Path, plain_host: Host) -> AsyncIterator[RemoteHost]:
    plain_host.run(["rm", "-rf", "dev"])
    async with connected("plain") as made:
        yield made


def paths_on(host: RemoteHost) -> HostPaths:
    return HostPaths.of("~/dev", host.account.home, "project")


def reply(done: int = 1, kind: bytes = b"f", size: int = 1, mode: int = 0o644, target: bytes = b"",
          content: bytes = b"", obstacle: bytes = b"", reason: bytes = b"") -> bytes:  # fmt: skip
    lengths = (len(target), len(content), len(obstacle), len(reason))
    head: bytes = frames.REPLY.pack(done, kind, size, 0, mode, *lengths)
    return head + target + content + obstacle + reason


def seen(*groups: int, kind: bytes = b"f", mode: int = 0o644, target: bytes = b"") -> bytes:
    about = frames.SEEN.pack(kind, 1, 0, mode, len(target)) + target
    return b"".join(frames.NUMBER.pack(group) + about * len(PATHS) for group in groups)


def opened(**changes: object) -> bytes:
    said = {"path": "/x", "exists": True, "claimed_by": "", "error": "", **changes}
    return json.dumps(said).encode()


Ask = Callable[[Channel, ChannelTree], Awaitable[object]]


def ask_write(channel: Channel, tree: ChannelTree) -> Awaitable[object]:
    return channel.write(tree, b"a", b"1", mode=0o644, mtime_ns=0, expect=NOTHING)


def ask_survey(channel: Channel, tree: ChannelTree) -> Awaitable[object]:
    return channel.survey(tree, SurveyRequest.of(PATHS, {}))


def ask_hashes(channel: Channel, tree: ChannelTree) -> Awaitable[object]:
    return channel.hashes(tree, PATHS)


def ask_content(channel: Channel, tree: ChannelTree) -> Awaitable[object]:
    return channel.read(tree, b"a", 10)


def ask_open(channel: Channel, _tree: ChannelTree) -> Awaitable[object]:
    return channel.open_tree(paths_on(channel.host), "me", writing=True)


HASH = frames.HASH.pack(0, bytes(32))
ANSWERS: dict[str, tuple[Ask, int, list[bytes]]] = {
    "an answer of another kind": (ask_write, frames.CONTENT, [b"\1x"]),
    "an answer that is neither done nor not": (ask_write, frames.ANSWER, [reply(done=7)]),
    "a kind that no file has": (ask_write, frames.ANSWER, [reply(kind=b"\x1b")]),
    "a mode that no file has": (ask_write, frames.ANSWER, [reply(mode=0o7777)]),
    "a size that no file has": (ask_write, frames.ANSWER, [reply(size=(1 << 64) - 1)]),
    "a target that no link has": (ask_write, frames.ANSWER, [reply(target=b"x" * 5000)]),
    "half a hash": (ask_write, frames.ANSWER, [reply(content=b"1234")]),
    "an obstacle outside": (ask_write, frames.ANSWER, [reply(0, obstacle=b"../../etc")]),
    "an obstacle from the root": (ask_write, frames.ANSWER, [reply(0, obstacle=b"/etc/passwd")]),
    "an answer that is cut off": (ask_write, frames.ANSWER, [reply(reason=b"xxx")[:-1]]),
    "an answer with more in it": (ask_write, frames.ANSWER, [reply() + b"!"]),
    "nothing": (ask_write, frames.ANSWER, [b""]),
    "taking what was never sent": (ask_write, frames.TAKEN, [frames.NUMBER.pack(1 << 30)]),
    "a group that was not asked for": (ask_survey, frames.SURVEYED, [seen(1)]),
    "a group twice": (ask_survey, frames.SURVEYED, [seen(0), seen(0)]),
    "a group twice in one part": (ask_survey, frames.SURVEYED, [seen(0, 0)]),
    "a group that is cut off": (ask_survey, frames.SURVEYED, [seen(0, target=b"xyz")[:-2]]),
    "a file of no kind": (ask_survey, frames.SURVEYED, [seen(0, kind=b"X")]),
    "a hash of what was not asked for": (ask_hashes, frames.HASHED, [frames.HASH.pack(2, b"")]),
    "half of a hash": (ask_hashes, frames.HASHED, [HASH[:-1]]),
    "hashes without end": (ask_hashes, frames.HASHED, [HASH, HASH, HASH]),
    "more content than was asked for": (ask_content, frames.CONTENT, [b"\1" + bytes(11)]),
    "content that is none": (ask_content, frames.CONTENT, [b""]),
    "content of a third kind": (ask_content, frames.CONTENT, [b"\2x"]),
    "a tree with more to it": (ask_open, frames.OPENED, [opened(owner="me")]),
    "a tree without an end": (ask_open, frames.OPENED, [opened(path="/" * 5000)]),
    "a tree with NUL": (ask_open, frames.OPENED, [opened(path="/a\0b")]),
    "a tree that is half there": (ask_open, frames.OPENED, [opened(exists="half")]),
    "a tree that is a number": (ask_open, frames.OPENED, [b"7"]),
    "a tree deep down": (ask_open, frames.OPENED, [b"[" * 100_000]),
}


@pytest.mark.parametrize(("ask", "kind", "parts"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_no_receiver_gives_ends_the_channel(
    host: RemoteHost, ask: Ask, kind: int, parts: list[bytes]
) -> None:
    channel = await Channel.open(host)
    tree = await channel.open_tree(paths_on(host), "me", writing=True)
    requests = channel._requests
    answer = asyncio.ensure_future(ask(channel, tree))
    while not requests.pending:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert requests._program
    for part in parts:
        head = HEADER.pack(kind, requests._last, len(part))
        requests._program.data_received(head + part, None)
    with pytest.raises(
        HostError, match="the receiver on the host ended: the host answered nonsense"
    ):
        await answer
    assert not channel.alive
    assert host.state == "connected"


async def test_words_of_the_host_are_short_and_on_one_line(host: RemoteHost) -> None:
    channel = await Channel.open(host)
    tree = await channel.open_tree(paths_on(host), "me", writing=True)
    answer = channel.write(tree, b"a", b"1", mode=0o644, mtime_ns=0, expect=NOTHING)
    assert channel._requests._program
    payload = reply(0, b"\0", reason=b"no\n" * 20_000)
    head = HEADER.pack(frames.ANSWER, channel._requests._last, len(payload))
    channel._requests._program.data_received(head + payload, None)
    said = (await answer).reason
    assert len(said) <= 1000
    assert "\n" not in said


# -- a receiver that echoes heartbeats, and nothing more

SILENT = """
if not is_supervisor:
    real = module.Handlers.handle
    module.Handlers.handle = lambda self, kind, number, payload: (
        real(self, kind, number, payload) if kind == 1 else None)
"""
BUSY = SILENT.replace("else None)", "else self.send(24, number, b''))")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("igor_core.push.channel.stall_watch.CHECK_SECONDS", 0.1)
    monkeypatch.setattr("igor_core.push.channel.stall_watch.STUCK_SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ask", [ask_write, ask_survey, ask_hashes, ask_content])
async def test_a_receiver_that_only_echoes_heartbeats_is_given_up(
    ssh_home: Path, plain_host: Host, ask: Ask
) -> None:
    with lying(plain_host, SILENT):
        async with connected("plain") as host:
            channel = await Channel.open(host)
            tree = await channel.open_tree(paths_on(host), "me", writing=True)
            with pytest.raises(
                HostError, match=r"plain: .*: it echoes heartbeats, but has answered"
            ):
                await asyncio.wait_for(ask(channel, tree), 20)
            assert host.state == "connected"


@pytest.mark.usefixtures("impatient")
async def test_a_file_in_chunks_that_is_never_taken_is_given_up_too(
    ssh_home: Path, plain_host: Host, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(3 << 20))
    with lying(plain_host, SILENT), open(source, "rb", buffering=0) as stream:  # noqa: ASYNC230
        async with connected("plain") as host:
            channel = await Channel.open(host)
            tree = await channel.open_tree(paths_on(host), "me", writing=True)
            mtime_ns = source.stat().st_mtime_ns
            sending = channel.write_large(
                tree, b"large", stream, 3 << 20, mode=0o644, mtime_ns=mtime_ns, expect=NOTHING
            )
            with pytest.raises(HostError, match="it echoes heartbeats"):
                await asyncio.wait_for(sending, 20)


@pytest.mark.usefixtures("impatient")
async def test_a_receiver_that_is_at_work_is_waited_for_but_not_for_ever(
    ssh_home: Path, plain_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing may take longer than the channel's patience; in this test each step of it is slow."""
    slow = """
if not is_supervisor:
    inner = space["sys"].modules["igor_core.remote.receiver.survey"]
    space["sys"].modules["igor_core.remote.receiver.frames"].WORKING_SECONDS = 0.2
    real = inner.hash_in_steps
    def slowly(descriptor):
        for step in real(descriptor):
            time.sleep(0.3)
            yield step
    inner.hash_in_steps = slowly
"""
    plain_host.run(["sh", "-c", "mkdir -p dev/project && head -c 9000000 /dev/zero >dev/project/a"])
    with lying(plain_host, slow):
        async with connected("plain") as host:
            channel = await Channel.open(host)
            tree = await channel.open_tree(paths_on(host), "me", writing=True)
            assert set(await channel.hashes(tree, PATHS)) == {b"a"}
            assert (await ask_write(channel, tree)) is not None
            monkeypatch.setattr("igor_core.push.channel.stall_watch.LONGEST_SECONDS", 1.0)
            with pytest.raises(HostError, match="has worked on one answer"):
                await asyncio.wait_for(channel.hashes(tree, PATHS), 20)


# -- a push to two hosts, one of which is malicious

PUSH_LIES = {
    "nonsense": ("module.Handlers.answer = lambda self, number, action: "
                 "self.send(18, number, b'?')",
                 "answered nonsense"),
    "a hash of everything": ("module.Handlers.survey = lambda self, number, payload: "
                             "self.send(20, number, bytes(4) + bytes(8 << 19))",
                             "answered nonsense"),
    "words that draw on a terminal": (
        "module.Handlers.open_tree = lambda self, number, payload: self.send(17, number, json."
        "dumps(dict(path='', exists=False, claimed_by='', error='%c]0;owned%c' % (27, 7)))"
        ".encode())",
        r"\x1b]0;owned\x07"),
    "no frame": ("module.Receiver.take_frames = lambda self: flood(b'\\\\xff' * 65536)",
                 "answered nonsense"),
}  # fmt: skip


@pytest.mark.parametrize(("lie", "said"), PUSH_LIES.values(), ids=PUSH_LIES)
def test_a_push_to_two_hosts_reaches_the_one_that_does_not_lie(
    lab: Lab, ssh_home: Path, tmp_path: Path, lie: str, said: str
) -> None:
    project = Project(tmp_path / "project", lab["apollo"], lab["enterprise"])
    project.write("a.py", "print(1)\n")
    with lying(lab["enterprise"], f"if not is_supervisor:\n    {lie}\n"):
        done = project.push()
    assert done.returncode == 1
    assert (project.there(lab["apollo"]) / "a.py").read_text() == "print(1)\n"
    assert said in done.stderr, done.stderr
    assert "bug in igor" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") < 8


READ = """
import asyncio, sys
from igor_core.errors import IgorError
from igor_core.paths import HostPaths
from igor_core.push.channel.channel import Channel
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.ssh.address import Address
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login

async def main():
    host = RemoteHost(Address("plain"))
    await host.connect(Login())
    try:
        channel = await Channel.open(host)
        paths = HostPaths.of("~/dev", host.account.home, "project")
        tree = await channel.open_tree(paths, "me", writing=True)
        print(len(await channel.survey(tree, SurveyRequest.of([b"a"], {}))))
    except IgorError as error:
        print("error", error.message)

asyncio.run(main())
"""


def test_a_survey_without_end_fills_no_memory(ssh_home: Path, plain_host: Host) -> None:
    lies = """
if not is_supervisor:
    def survey(self, number, payload):
        part = bytes(4) + struct.pack(">cQqHH", b"l", 1, 0, 0, 60000) + bytes(60000)
        flood(struct.pack(">BII", 20, number, len(part)) + part)
    module.Handlers.survey = survey
"""
    with lying(plain_host, lies):
        done = within(1 << 30, READ)
    assert (
        "error plain: the receiver on the host ended: the host answered nonsense" in done.stdout
    ), done
