"""The channel to a receiver on real hosts: frames in batches, losses reported, memory bounded."""

import asyncio
import hashlib
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.channel.answers import Answer
from igor_core.push.channel.channel import LARGE, Channel, ChannelTree
from igor_core.push.channel.precondition import ANYTHING, NOTHING, Precondition, Version
from igor_core.push.channel.script import NoReceiver
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.channel.upload import CHANGED_LOCALLY
from igor_core.ssh.address import Address
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login
from tests.lab import Host, Lab
from tests.support.agent_client import wait_until
from tests.support.receiving import entries
from tests.support.remote import connected

MTIME = 1_600_000_000_123_456_789


@pytest.fixture
async def host(ssh_home: Path, plain_host: Host) -> AsyncIterator[RemoteHost]:
    plain_host.run(["sh", "-c", "chmod -R u+w dev; rm -rf dev"], check=False)
    async with connected("plain") as made:
        yield made


def paths_on(host: RemoteHost) -> HostPaths:
    return HostPaths.of("~/dev", host.account.home, "project")


async def opened(host: RemoteHost) -> tuple[Channel, ChannelTree]:
    channel = await Channel.open(host)
    return channel, await channel.open_tree(paths_on(host), "me", writing=True)


def write(
    channel: Channel, tree: ChannelTree, path: bytes, content: bytes, expect: Precondition = NOTHING
) -> "asyncio.Future[Answer]":
    return channel.write(tree, path, content, mode=0o644, mtime_ns=MTIME, expect=expect)


def receivers(host: Host) -> list[int]:
    """Return the receivers' processes; the supervisor is the first that was started."""
    return sorted(host.pids("python3"))[1:]


def temp_files(host: Host) -> list[Path]:
    return [path for path in host.path("dev/.igor-host/tmp").rglob("*") if path.is_file()]


async def until(is_true: Callable[[], object]) -> None:
    while not is_true():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


@dataclass
class Local:
    """A local file that is to be sent whole."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path, size: int) -> "Local":
        block = os.urandom(1 << 20)
        with open(path, "wb") as stream:
            for at in range(0, size, len(block)):
                stream.write(block[: size - at])
        return cls(path, size, path.stat().st_mtime_ns)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.path.read_bytes()).digest()

    async def send(self, channel: Channel, tree: ChannelTree, name: bytes, **more: Any) -> Answer:
        with open(self.path, "rb", buffering=0) as source:  # noqa: ASYNC230
            return await channel.write_large(
                tree, name, source, self.size, mode=0o600, mtime_ns=self.mtime_ns, expect=NOTHING,
                **more,
            )  # fmt: skip


# -- abilities


async def test_files_links_deletes_surveys_hashes_and_contents(
    host: RemoteHost, plain_host: Host
) -> None:
    channel, tree = await opened(host)
    assert tree.path == plain_host.home + "/dev/project"
    assert tree.exists
    answer = await write(channel, tree, b"a/x", b"content")
    assert answer == Answer(True, State("f", 7, MTIME, 0o644))
    linked = await channel.link(tree, b"l", b"a/x", mtime_ns=MTIME, expect=NOTHING)
    assert linked.state == State("l", 3, MTIME, 0o777, b"a/x")
    refused = await write(channel, tree, b"a/x", b"other")
    digest = hashlib.sha256(b"content").digest()
    assert (refused.ok, refused.hash, refused.reason) == (False, digest, "")
    expected = {b"a": State("d", 0, 0, 0), b"a/x": State("f", 7, MTIME, 0)}
    asked = SurveyRequest.of([b"a", b"a/x", b"l"], expected)
    for _ in range(2):
        assert await channel.survey(tree, asked) == {b"l": linked.state}
    assert await channel.hashes(tree, [b"a", b"a/x", b"no"]) == {b"a/x": digest}
    assert await channel.hashes(tree, []) == {}
    assert await channel.read(tree, b"a/x", 4) == b"cont"
    with pytest.raises(HostError, match="plain: can't read no: No such file"):
        await channel.read(tree, b"no", 4)
    patched = await channel.patch(
        tree, b"a/x", base=Version(7, MTIME), prefix=3, suffix=2, middle=b"--",
        hash=hashlib.sha256(b"con--nt").digest(), mode=0o600, mtime_ns=5,
        expect=Precondition(versions=(Version(7, MTIME),)),
    )  # fmt: skip
    assert patched == Answer(True, State("f", 7, 5, 0o600))
    expect = Precondition(versions=(Version(7, 0, hashlib.sha256(b"con--nt").digest()),))
    assert (await channel.delete(tree, b"a/x", expect=expect, remove_empty=[b"a"])).ok
    assert entries(plain_host.path("dev/project")) == {b"l": b"a/x"}
    assert channel.pending == 0


async def test_a_tree_that_is_not_there_is_looked_at_as_empty(host: RemoteHost) -> None:
    channel = await Channel.open(host)
    tree = await channel.open_tree(paths_on(host), "me", writing=False)
    assert not tree.exists
    seen = {b"x": State("f", 1, 1, 0)}
    assert await channel.survey(tree, SurveyRequest.of([b"x", b"y"], seen)) == {b"x": None}
    assert await channel.hashes(tree, [b"x"]) == {}
    assert not (await write(channel, tree, b"x", b"1")).ok


async def test_a_folder_that_may_not_be_written_is_told(host: RemoteHost, plain_host: Host) -> None:
    channel, tree = await opened(host)
    await write(channel, tree, b"d/x", b"1")
    plain_host.path("dev/project/d").chmod(0o500)
    for answer in (
        await write(channel, tree, b"d/y", b"1"),
        await write(channel, tree, b"d/x", b"2", ANYTHING),
        await channel.delete(tree, b"d/x", expect=ANYTHING),
        await write(channel, tree, b"d/e/x", b"2"),
    ):
        assert (answer.ok, answer.reason) == (False, "Permission denied")
    plain_host.path("dev/project/d").chmod(0o700)
    assert temp_files(plain_host) == []
    nowhere = HostPaths.of("/root/dev", "/", "p")
    with pytest.raises(HostError, match=r"plain: /root/dev.*: Permission denied"):
        await channel.open_tree(nowhere, "me", writing=True)


async def test_frames_of_one_turn_leave_in_one_packet(
    host: RemoteHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, tree = await opened(host)
    sent: list[int] = []
    program = channel._requests._program
    assert program
    really = program.write
    monkeypatch.setattr(program, "write", lambda data: (sent.append(len(data)), really(data)))
    answers = [write(channel, tree, b"f%d" % n, b"x" * 100) for n in range(50)]
    assert sent == []
    assert channel.pending == 50
    assert all(answer.ok for answer in await asyncio.gather(*answers))
    assert len(sent) == 1
    last = write(channel, tree, b"last", b"x")
    channel.flush()
    assert len(sent) == 2
    await last


async def test_a_save_takes_half_a_round_trip_and_is_answered_in_one(
    ssh_home: Path, plain_host: Host
) -> None:
    plain_host.delay(0)
    async with connected("plain") as host:
        channel, tree = await opened(host)
        path = plain_host.path("dev/project/x")
        plain_host.delay(2000)
        start = time.monotonic()
        answer = write(channel, tree, b"x", b"x" * 10_000)
        await until(path.exists)
        assert 0.9 < time.monotonic() - start < 1.9
        assert (await answer).ok
        assert 1.9 < time.monotonic() - start < 3.8


async def test_thousands_of_files_at_once(host: RemoteHost, plain_host: Host) -> None:
    channel, tree = await opened(host)
    files = {b"d%d/s%d/f%d" % (n % 7, n % 70, n): b"%d" % n for n in range(3000)}
    answers = []
    for path, content in files.items():
        answers.append(write(channel, tree, path, content))
        await channel.drain()
    assert all(answer.ok for answer in await asyncio.gather(*answers))
    assert entries(plain_host.path("dev/project")) == files


# -- large files


async def test_a_large_file_arrives_whole_with_bounded_memory(
    host: RemoteHost, plain_host: Host, tmp_path: Path
) -> None:
    channel, tree = await opened(host)
    big = Local.of(tmp_path / "big", 300_000_000)
    (pid,) = receivers(plain_host)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen: list[int] = []
    sending = asyncio.ensure_future(big.send(channel, tree, b"d/big", on_progress=seen.append))
    await until(lambda: bool(seen))
    assert (await write(channel, tree, b"save", b"1")).ok
    assert not sending.done()
    answer = await sending
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
    assert peak_memory(pid) < 40_000
    assert answer == Answer(True, State("f", big.size, big.mtime_ns, 0o600), big.digest)
    assert (seen, seen[-1]) == (sorted(seen), big.size)
    there = Local(plain_host.path("dev/project/d/big"), big.size, big.mtime_ns)
    assert there.digest == big.digest
    assert temp_files(plain_host) == []


def peak_memory(pid: int) -> int:
    """Return the peak memory in kilobytes (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1])


@pytest.mark.parametrize("change", ["shorter", "longer", "touched"])
async def test_a_source_that_changes_meanwhile_is_not_written(
    host: RemoteHost, plain_host: Host, tmp_path: Path, change: str
) -> None:
    channel, tree = await opened(host)
    big = Local.of(tmp_path / "big", 20_000_000)

    def on_progress(done: int) -> None:
        if change == "shorter":
            os.truncate(big.path, 10_000_000)
        elif change == "longer":
            os.truncate(big.path, 30_000_000)
        else:
            os.utime(big.path, ns=(1, 1))

    answer = await big.send(channel, tree, b"big", on_progress=on_progress)
    assert answer == Answer(False, reason=CHANGED_LOCALLY)
    assert (await write(channel, tree, b"next", b"1")).ok
    assert set(entries(plain_host.path("dev/project"))) == {b"next"}
    assert temp_files(plain_host) == []


async def test_a_large_file_is_refused_before_it_is_sent_and_may_be_cancelled(
    host: RemoteHost, plain_host: Host, tmp_path: Path
) -> None:
    channel, tree = await opened(host)
    big = Local.of(tmp_path / "big", 200_000_000)
    await write(channel, tree, b"theirs", b"theirs")
    seen: list[int] = []
    answer = await big.send(channel, tree, b"theirs", on_progress=seen.append)
    assert (answer.ok, answer.hash) == (False, hashlib.sha256(b"theirs").digest())
    assert max(seen, default=0) < big.size / 10
    sending = asyncio.ensure_future(big.send(channel, tree, b"cancelled"))
    await asyncio.sleep(0.1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (await write(channel, tree, b"next", b"1")).ok
    assert set(entries(plain_host.path("dev/project"))) == {b"theirs", b"next"}
    assert temp_files(plain_host) == []
    assert channel.pending == 0


async def test_a_large_file_keeps_a_long_line_as_busy_as_ssh_does(
    ssh_home: Path, plain_host: Host, tmp_path: Path
) -> None:
    plain_host.delay(80)
    big = Local.of(tmp_path / "big", 40_000_000)
    async with connected("plain") as host:
        channel, tree = await opened(host)
        start = time.monotonic()
        assert (await big.send(channel, tree, b"long")).ok
        ours = time.monotonic() - start
    command = ["ssh", "-F", str(ssh_home / ".ssh/config"), plain_host.name, "cat >/dev/null"]
    start = time.monotonic()
    with open(big.path, "rb") as source:  # noqa: ASYNC230
        ssh = await asyncio.create_subprocess_exec(*command, stdin=source)
        assert await ssh.wait() == 0
    assert ours < 1.5 * (time.monotonic() - start)


# -- several channels


async def test_several_channels_share_a_tree_and_a_host_grants_more_than_its_limit(
    host: RemoteHost, plain_host: Host
) -> None:
    made = await asyncio.gather(*(opened(host) for _ in range(12)))
    assert len(host._connections) == 2
    content = os.urandom(LARGE)
    answers = [
        write(channel, tree, b"%d/%d" % (n, k), content)
        for n, (channel, tree) in enumerate(made)
        for k in range(3)
    ]
    assert all(answer.ok for answer in await asyncio.gather(*answers))
    assert len(entries(plain_host.path("dev/project"))) == 36
    for channel, _tree in made:
        channel.close()
        assert not channel.alive
    await asyncio.to_thread(wait_until, lambda: not receivers(plain_host), 10)
    again, _tree = await opened(host)
    assert again.alive
    # The first connection has free channels again.
    assert sum(shared.sessions for shared in host._connections) == 2


# -- losses


async def test_a_killed_receiver_fails_what_is_pending_and_another_is_started(
    host: RemoteHost, plain_host: Host
) -> None:
    channel, tree = await opened(host)
    lost: list[str] = []
    channel.on_lost(lambda: lost.append(channel.why_lost))
    (pid,) = receivers(plain_host)
    os.kill(pid, signal.SIGSTOP)
    answer = write(channel, tree, b"x", b"1")
    await asyncio.sleep(0.1)
    assert channel.pending == 1
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(HostError, match="the receiver on the host ended"):
        await asyncio.wait_for(answer, 5)
    assert len(lost) == 1
    assert (channel.alive, channel.pending) == (False, 0)
    with pytest.raises(HostError):
        await write(channel, tree, b"x", b"1")
    assert host.state == "connected"
    channel, tree = await opened(host)
    assert (await write(channel, tree, b"x", b"1")).ok


async def test_a_lost_connection_fails_what_is_pending_and_leaves_no_temp_file(
    host: RemoteHost, plain_host: Host, tmp_path: Path
) -> None:
    channel, tree = await opened(host)
    big = Local.of(tmp_path / "big", 300_000_000)
    sending = asyncio.ensure_future(big.send(channel, tree, b"big"))
    await until(lambda: temp_files(plain_host))
    (shared,) = host._connections
    shared.connection.abort()
    with pytest.raises(HostError, match="the connection to plain was lost"):
        await asyncio.wait_for(sending, 5)
    assert not channel.alive
    await asyncio.wait_for(channel.drain(), 1)
    await asyncio.to_thread(wait_until, lambda: not temp_files(plain_host), 10)
    assert entries(plain_host.path("dev/project")) == {}


async def test_a_cut_cable_is_noticed_here_and_there(ssh_home: Path, lab: Lab) -> None:
    """Slow: local keepalive and the host's silence take half a minute each."""
    enterprise = lab["enterprise"]
    enterprise.run(["rm", "-rf", "dev"])
    async with connected("enterprise") as host:
        channel, tree = await opened(host)
        assert (await write(channel, tree, b"x", b"1")).ok
        assert enterprise.pids("python3")
        enterprise.cut()
        with pytest.raises(HostError, match="the connection to enterprise was lost"):
            await asyncio.wait_for(write(channel, tree, b"y", b"1"), 40)
        assert not channel.alive
        await asyncio.wait_for(until(lambda: not enterprise.pids("python3")), 20)


async def test_a_receiver_that_stands_still_is_given_up(
    host: RemoteHost, plain_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igor_core.ssh.remote_program.BEAT_SECONDS", 0.1)
    monkeypatch.setattr("igor_core.ssh.remote_program.SILENCE_SECONDS", 0.5)
    channel, tree = await opened(host)
    (pid,) = receivers(plain_host)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(HostError, match="it sent nothing for"):
        await asyncio.wait_for(write(channel, tree, b"x", b"1"), 5)
    assert host.state == "connected"
    # Its input has been closed meanwhile.
    os.kill(pid, signal.SIGCONT)
    await asyncio.to_thread(wait_until, lambda: not receivers(plain_host), 5)


async def test_nonsense_from_the_host_ends_the_channel(host: RemoteHost) -> None:
    channel, tree = await opened(host)
    answer = write(channel, tree, b"x", b"1")
    program = channel._requests._program
    assert program
    program.data_received(b"\x12\0\0\0\x09\0\0\0\x01?", None)
    with pytest.raises(HostError, match="nonsense: an answer to request 9"):
        await answer


async def test_a_host_without_python3_has_no_receiver(
    ssh_home: Path, pythonless_host: Host
) -> None:
    async with connected("pythonless") as host:
        with pytest.raises(NoReceiver, match="python3"):
            await Channel.open(host)
        assert sum(shared.sessions for shared in host._connections) == 0


async def test_opening_may_be_cancelled(host: RemoteHost, plain_host: Host) -> None:
    for wait in (0, 0.005, 0.02):
        opening = asyncio.ensure_future(Channel.open(host))
        await asyncio.sleep(wait)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    await asyncio.sleep(0.5)
    await asyncio.to_thread(wait_until, lambda: not receivers(plain_host), 5)
    assert sum(shared.sessions for shared in host._connections) == 1


async def test_a_host_tells_each_change_of_its_state(ssh_home: Path, plain_host: Host) -> None:
    host, seen = RemoteHost(Address("plain")), []
    host.on_state(lambda: seen.append((host.state, host.reason)))
    await host.connect(Login())
    (shared,) = host._connections
    shared.connection.abort()
    await asyncio.sleep(0.1)
    host.close()
    assert seen == [
        ("connecting", ""), ("connected", ""), ("not connected", "the connection was lost"),
    ]  # fmt: skip
