"""Processes on a host under the supervisor: bytes, terminals, signals, ends."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
import pytest_asyncio

from igor_core.errors import HostError
from igor_core.remote.frames import HEADER
from igor_core.remote.supervisor import frames
from igor_core.remote.supervisor.announcement import ANNOUNCED_WITHIN, Announcement
from igor_core.ssh import remote_program, supervisor_client
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process, complete
from tests.lab import Host
from tests.lab.required import require_peer
from tests.support.agent_client import wait_until
from tests.support.pythons import pythons, version
from tests.support.remote import connected

#: What ends the group N inside a "container", here on the host itself; says how.
END = ["sh", "-c", "kill -s TERM -- -$1; echo TERM", "igor", "{pid}"]
ANNOUNCING = "printf '\\036igor-pid:%s\\n' $$; "


@pytest_asyncio.fixture
async def host(ssh_home: Path, plain_host: Host) -> AsyncIterator[RemoteHost]:
    async with connected("plain") as found:
        assert found.has_supervisor
        yield found


def sh(script: str, **options: object) -> Command:
    return Command(["sh", "-c", script], cwd="/", **options)  # type: ignore[arg-type]


async def output(process: Process) -> bytes:
    parts = []
    while (item := await process.read()) is not None:
        parts.append(item[1])
    return b"".join(parts)


async def until(process: Process, text: bytes) -> bytes:
    """Read until that text has come."""
    found = b""
    while text not in found:
        item = await asyncio.wait_for(process.read(), 10)
        assert item is not None, found
        found += item[1]
    return found


# -- bytes, status, arguments


async def test_arguments_environment_and_bytes_arrive_as_they_are(host: RemoteHost) -> None:
    words = ["a b", "", "$(id)", "'\"\\", "new\nline", "caf\udce9", "ä"]
    done = await host.run(["printf", "%s\\0", *words], cwd="/")
    assert done.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in words]
    data = bytes(range(256)) * 5000
    done = await host.run(["sh", "-c", 'printf %s "$X" >&2; cat'], input=data, env={"X": "\udcff"})
    assert (done.stdout, done.stderr) == (data, b"\xff")


async def test_status_signals_and_failures_to_start_are_told_apart(host: RemoteHost) -> None:
    assert (await host.run(["sh", "-c", "exit 42"])).status == 42
    assert (await host.run(["sh", "-c", "kill -9 $$"])).status == 128 + 9
    missing = await host.run(["no-such-program"])
    assert (missing.status, missing.stderr) == (127, b"no-such-program: No such file or directory")
    assert (await host.run(["/etc/passwd"])).stderr == b"/etc/passwd: Permission denied"
    nowhere = await host.run(["true"], cwd="/nowhere")
    assert (nowhere.status, nowhere.stderr) == (127, b"/nowhere: No such file or directory")
    assert b"null byte" in (await host.run(["a\0b"])).stderr
    assert (await host.run([])).status == 126
    assert (await host.run(["echo", "still here"])).stdout == b"still here\n"


async def test_two_hundred_processes_at_once_use_one_session(host: RemoteHost) -> None:
    runs = [host.run(["sh", "-c", f"sleep 0.2; echo {n}"]) for n in range(200)]
    start = time.monotonic()
    done = await asyncio.gather(*runs)
    assert [int(one.stdout) for one in done] == list(range(200))
    assert time.monotonic() - start < 35
    (shared,) = host._connections
    assert shared.sessions == 1


# -- credit


async def test_a_reader_that_stops_blocks_its_own_program_and_no_other(host: RemoteHost) -> None:
    stuck = await host.start(Command(["yes"], cwd="/"))
    await stuck.read()
    await asyncio.sleep(0.5)
    held = sum(len(data) for _stream, data in stuck._output)
    assert held <= frames.WINDOW_BYTES
    argv = ["sh", "-c", "head -c 30000000 /dev/zero; cat"]
    big = await host.run(argv, input=b"x" * 5_000_000, most=40_000_000)
    assert len(big.stdout) == 35_000_000
    await stuck.end()
    assert stuck.ended == "INT"


async def test_a_program_that_does_not_read_blocks_its_writer(host: RemoteHost) -> None:
    process = await host.start(sh("sleep 1; wc -c"))
    writing = asyncio.ensure_future(process.write(b"x" * 10_000_000))
    await asyncio.sleep(0.5)
    assert not writing.done()
    assert (await host.run(["echo", "other"])).stdout == b"other\n"
    await writing
    process.write_eof()
    assert await output(process) == b"10000000\n"


async def test_input_that_nobody_takes_is_dropped_and_the_writer_goes_on(host: RemoteHost) -> None:
    process = await host.start(sh("exec <&-; sleep 0.5; echo done"))
    await asyncio.wait_for(process.write(b"x" * 10_000_000), 10)
    assert await output(process) == b"done\n"


# -- terminals


async def test_a_terminal_has_a_size_a_kind_and_control_keys(host: RemoteHost) -> None:
    script = "tty; echo $TERM; stty size; exec sh -c 'echo ready; exec cat'"
    process = await host.start(sh(script, pty=(100, 30)))
    said = await until(process, b"ready\r\n")
    assert b"/dev/pts/" in said
    assert b"xterm-256color\r\n30 100\r\n" in said
    await process.write(b"echo\n")
    await until(process, b"echo\r\necho\r\n")
    await process.write(b"\x03")
    await asyncio.wait_for(output(process), 10)
    assert process.status == 128 + 2


async def test_a_terminal_that_changes_its_size_tells_the_program(host: RemoteHost) -> None:
    script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"
    process = await host.start(sh(script, pty=(80, 24), env={"TERM": "vt100"}))
    await until(process, b"ready")
    process.resize(132, 50)
    assert await output(process) == b"50 132\r\n"
    assert process.status == 5


async def test_all_that_a_program_wrote_to_a_terminal_arrives(host: RemoteHost) -> None:
    for _ in range(20):
        done = await host.start(sh("seq 5000", pty=(80, 24)))
        assert (await output(done)).endswith(b"\r\n5000\r\n")


# -- ends


async def test_signals_reach_the_whole_group(host: RemoteHost) -> None:
    process = await host.start(sh("trap 'echo usr' USR1; echo ready; while :; do sleep 0.05; done"))
    await until(process, b"ready")
    process.signal("USR1")
    await until(process, b"usr")
    process.signal("NOSUCH")
    process.signal("KILL")
    await output(process)
    assert process.status == 128 + 9


@pytest.mark.parametrize(("traps", "how"), [("", "INT"), ("INT", "TERM"), ("INT TERM", "KILL")])
async def test_killing_escalates_from_int_to_kill_and_names_the_signal(
    host: RemoteHost, traps: str, how: str
) -> None:
    trap = f"trap '' {traps}; " if traps else ""
    process = await host.start(sh(f"{trap}echo ready; while :; do sleep 0.1; done"))
    await until(process, b"ready")
    await process.end()
    assert process.ended == how


async def test_what_runs_in_the_background_lives_on_after_a_normal_end(
    host: RemoteHost, plain_host: Host
) -> None:
    start = time.monotonic()
    done = await host.run(["sh", "-c", "sleep 77 & echo started"])
    assert (done.stdout, time.monotonic() - start < 60) == (b"started\n", True)
    noisy = await host.run(["sh", "-c", "yes & exit 3"])
    assert noisy.status == 3
    wait_until(lambda: not plain_host.pids("yes"), 5)
    assert plain_host.run(["pkill", "-f", "^sleep 77"]).returncode == 0


async def test_killing_reaches_the_whole_session_and_nothing_else(
    host: RemoteHost, plain_host: Host
) -> None:
    script = "set -m; sleep 71 & setsid sleep 72 & echo ready; sleep 73"
    process = await host.start(Command(["bash", "-c", script], cwd="/"))
    await until(process, b"ready")
    await asyncio.sleep(0.2)
    await process.end()
    left = plain_host.run(["pgrep", "-f", "^sleep 7[123]", "-a"]).stdout
    assert left.split()[1:] == ["sleep", "72"]
    plain_host.run(["pkill", "-f", "^sleep 72"])


async def test_leaving_the_block_early_kills_the_process(
    host: RemoteHost, plain_host: Host
) -> None:
    with pytest.raises(RuntimeError):
        async with host.process(Command(["sleep", "74"], cwd="/")):
            raise RuntimeError
    assert plain_host.run(["pgrep", "-f", "^sleep 74"]).returncode == 1
    running = asyncio.ensure_future(host.run(["sleep", "75"]))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    pgrep = ["pgrep", "-f", "^sleep 75"]
    wait_until(lambda: plain_host.run(pgrep).returncode == 1, 5)


# -- announcements (containers)


async def test_the_announced_group_is_what_the_end_command_kills(
    host: RemoteHost, plain_host: Host
) -> None:
    # As in a container: the program is in a session that no signal here reaches.
    inner = ANNOUNCING + "echo out; sleep 76"
    process = await host.start(
        Command(["setsid", "-w", "sh", "-c", inner], cwd="/", announce=True, end=END)
    )
    assert await until(process, b"out\n") == b"out\n"
    await process.end()
    assert process.ended == "TERM"
    assert plain_host.run(["pgrep", "-f", "^sleep 76"]).returncode == 1


async def test_keys_typed_before_the_announcement_wait_for_the_program(host: RemoteHost) -> None:
    script = f"sleep 0.5; {ANNOUNCING} head -c 4"
    process = await host.start(sh(script, pty=(80, 24), announce=True, end=END))
    await process.write(b"a\x03\x10\r")
    assert await output(process) == b"a\x03\x10\r"


def test_an_announcement_is_found_at_any_split() -> None:
    said = b"noise \x1e\x1eigor-pid:42\r\nrest \x1eigor-pid:43\n"
    for size in range(1, len(said) + 1):
        found = Announcement()
        parts = [found.feed(said[at : at + size]) for at in range(0, len(said), size)]
        assert b"".join(parts) + found.rest() == b"noise \x1erest \x1eigor-pid:43\n"
        assert found.pid == "42"


def test_output_without_an_announcement_is_not_held_back() -> None:
    found = Announcement()
    assert found.feed(b"no line") == b"no line"
    assert found.feed(b" \x1eigor-p") == b" "
    assert found.feed(b"lease") == b"\x1eigor-please"
    found.feed(bytes(ANNOUNCED_WITHIN))
    assert found.feed(b"\x1eigor-pid:1\n") == b"\x1eigor-pid:1\n"
    assert found.over


# -- hosts of all kinds


@pytest.fixture
def login_shell(plain_host: Host) -> object:
    """Gives the host's user another login shell, until the test ends."""
    passwd = plain_host.path("/etc/passwd")
    before = passwd.read_text()

    def use(shell: str) -> None:
        passwd.write_text(
            before.replace(f"{plain_host.home}:/bin/bash", f"{plain_host.home}:{shell}")
        )

    yield use
    passwd.write_text(before)


@pytest.mark.parametrize("shell", ["fish", "dash", "zsh", "tcsh"])
async def test_any_login_shell_works(
    ssh_home: Path, plain_host: Host, login_shell: object, shell: str
) -> None:
    if shell != "dash":
        require_peer(shell)
    found = plain_host.run(["sh", "-c", f"command -v {shell}"]).stdout.strip()
    login_shell(found)  # type: ignore[operator]
    async with connected("plain") as host:
        assert host.has_supervisor
        assert (await host.run(["echo", "$HOME 'x'"])).stdout == b"$HOME 'x'\n"
        words = ["a\nb", "c\\d!", "$(id)'\"`", "caf\udce9"]
        process = await host._start_plain(Command(["printf", "%s|", *words], env={"A": "1"}))
        done = await complete(process, b"")
        assert done.stdout == "|".join([*words, ""]).encode("utf-8", "surrogateescape")


async def test_a_bashrc_that_prints_and_modules_in_the_home_do_no_harm(
    ssh_home: Path, plain_host: Host
) -> None:
    bashrc = plain_host.path(".bashrc")
    before = bashrc.read_text()
    bashrc.write_text("echo Welcome\necho to this host >&2\n" + before)
    plain_host.path("json.py").write_text("raise SystemExit('shadowed')\n")
    try:
        async with connected("plain") as host:
            assert host.has_supervisor, host.why_no_supervisor
            assert (await host.run(["echo", "x"])).stdout == b"x\n"
            process = await host._start_plain(Command(["echo", "x"]))
            assert (await complete(process, b"")).stdout == b"x\n"
    finally:
        bashrc.write_text(before)
        plain_host.path("json.py").unlink()


async def test_a_host_with_only_python_2_gets_no_supervisor(
    ssh_home: Path, plain_host: Host
) -> None:
    """A stand-in that answers as Python 2 does to what it doesn't know."""
    fake = plain_host.path("/usr/local/bin/python3")
    fake.parent.mkdir(exist_ok=True)
    fake.write_text("#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n")
    fake.chmod(0o755)
    try:
        async with connected("plain") as host:
            assert not host.has_supervisor
            assert host.why_no_supervisor == "Unknown option: -I"
            assert (await host.run(["echo", "x"])).stdout == b"x\n"
    finally:
        fake.unlink()


def test_the_oldest_python_here_runs_the_supervisor() -> None:
    _version, python = min(filter(None, map(version, pythons())))
    order = {"argv": ["echo", "old"], "cwd": "", "env": {}, "pty": None, "announce": False,
             "end": []}  # fmt: skip
    start = json.dumps(order).encode()
    frame = HEADER.pack(frames.START, 1, len(start)) + start
    line = supervisor_client.SUPERVISOR.command_line.replace("python3", str(python), 1)
    with subprocess.Popen(["sh", "-c", line], stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(supervisor_client.SUPERVISOR.bundle.payload + frame)
        process.stdin.flush()
        said = b""
        while b'"status": 0' not in said:
            part = process.stdout.read1(4096)  # type: ignore[attr-defined]
            assert part, process.stderr and process.stderr.read()
            said += part
    assert said.startswith(frames.MAGIC)
    assert b"old\n" in said


# -- when igor or the supervisor dies


async def test_a_lost_connection_kills_all_programs_on_the_host(
    ssh_home: Path, plain_host: Host
) -> None:
    async with connected("plain") as host:
        for options in ({}, {"pty": (80, 24)}):
            await host.start(sh("trap '' HUP TERM; sleep 81", **options))
        await asyncio.sleep(0.3)
        (shared,) = host._connections
        shared.connection.abort()
    await asyncio.to_thread(
        wait_until, lambda: plain_host.run(["pgrep", "-f", "^sleep 81"]).returncode == 1, 15
    )


async def test_a_killed_supervisor_is_a_lost_connection_and_its_terminals_hang_up(
    ssh_home: Path, plain_host: Host
) -> None:
    async with connected("plain") as host:
        process = await host.start(Command(["sleep", "82"], cwd="/", pty=(80, 24)))
        await asyncio.sleep(0.2)
        for pid in plain_host.pids("python3"):
            os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(output(process), 10)
        assert process.lost
        assert host.state == "not connected"
    wait_until(lambda: plain_host.run(["pgrep", "-f", "^sleep 82"]).returncode == 1, 5)


@pytest.fixture
def start_file(plain_host: Host) -> Iterator[None]:
    """The user's ~/.bashrc, which bash reads for each command of ssh, is as before at the end."""
    bashrc = plain_host.path(".bashrc")
    before = bashrc.read_text()
    yield
    bashrc.write_text(before)


def start_with(host: Host, command: str) -> None:
    host.path(".bashrc").write_text(f"{command}\n")


def listing(host: Host) -> set[Path]:
    return set(host.path(".").iterdir())


@pytest.mark.parametrize("shell", ["zsh", "dash", "bash", "tcsh", "fish"])
async def test_a_shell_that_a_start_file_starts_runs_nothing_of_igors_program(
    ssh_home: Path, plain_host: Host, start_file: None, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shell not in ("dash", "bash"):
        require_peer(shell)
    # fish reads all before it runs a line, so it does not end by itself.
    monkeypatch.setattr(remote_program, "START_SECONDS", 3.0 if shell == "fish" else 60.0)
    option = {"bash": "--norc", "tcsh": "-f", "zsh": "-f"}.get(shell, "")
    start_with(plain_host, f"exec {shell} {option}")
    before = listing(plain_host)
    with pytest.raises(HostError) as refused:
        async with connected("plain"):
            pass
    assert "plain: " in refused.value.message
    assert "starts another shell" in refused.value.message
    assert "ssh plain true" in refused.value.hint
    assert listing(plain_host) == before


async def test_a_start_file_that_takes_too_long_is_not_a_missing_python(
    ssh_home: Path, plain_host: Host, start_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_with(plain_host, "sleep 5")
    monkeypatch.setattr(remote_program, "START_SECONDS", 0.5)
    with pytest.raises(HostError, match=r"did not start within .* \(~/.bashrc"):
        async with connected("plain"):
            pass


async def test_a_slow_start_file_is_waited_for(
    ssh_home: Path, plain_host: Host, start_file: None
) -> None:
    start_with(plain_host, "sleep 1")
    async with connected("plain") as host:
        assert host.has_supervisor
