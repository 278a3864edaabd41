"""The debug helper by itself, as an editor starts it without igor."""

import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from igor_core.debug.launch import HELPER
from igor_core.remote.debug_helper import frames
from igor_core.remote.debug_helper.frames import note
from igor_core.remote.debug_helper.relay import OVER
from tests.lab.cache import base_tarball
from tests.lab.required import require_peer
from tests.support.agent_client import wait_until
from tests.support.dap_client import Debugger
from tests.support.debugged import FILE, PROGRAM, STOP

PACKAGES = "./venv/tools/lib/python3.11/site-packages/debugpy"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with debugpy in it."""
    require_peer("base image")
    folder = tmp_path_factory.mktemp("library")
    with tarfile.open(base_tarball()) as tar:
        members = [each for each in tar.getmembers() if each.name.startswith(PACKAGES)]
        for member in members:
            member.name = os.path.relpath(member.name, os.path.dirname(PACKAGES))
        tar.extractall(folder, members=members)
    return folder


class Helper:
    """The file, as in a container's /run/igor."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder = folder
        self.file = folder / "debug_helper.py"
        self.file.write_text(HELPER.file)
        program = folder / FILE
        program.parent.mkdir(parents=True)
        program.write_text(PROGRAM)
        self.environment = {**os.environ, "PYTHONPATH": str(library)}

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, str(self.file), *arguments], cwd=self.folder, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def sessions(self) -> list[dict[str, object]]:
        lines = self.run("list", "--group", self.group).stdout.splitlines()
        return [json.loads(line) for line in lines]

    @property
    def group(self) -> str:
        return str(self.folder)

    def serve(self, name: str, *more: str) -> "subprocess.Popen[bytes]":
        return self.start("serve", "--group", self.group, "--id", name, *more, "--", FILE)


@pytest.fixture
def helper(tmp_path: Path, library: Path) -> Helper:
    return Helper(tmp_path, library)


def facts(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Wait for the line that reports that debugpy listens."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(b"IGOR-DEBUG "), (line, process.poll())
    found: dict[str, Any] = json.loads(line.partition(b" ")[2])
    return found


def test_a_terminal_sees_the_program_and_its_status(helper: Helper) -> None:
    process = helper.serve("one")
    port = facts(process)["port"]
    file = str(helper.folder / FILE)
    debugger = Debugger(port).attach(helper.folder, str(helper.folder), {file: [STOP]})
    debugger.go_on(debugger.stopped())
    debugger.wait_for("terminated")
    debugger.close()
    assert process.stdout
    assert process.stdout.read() == b"the answer is 42\n"
    assert process.wait(10) == 3
    assert helper.sessions() == []


def test_end_of_input_or_a_new_session_ends_the_program(helper: Helper) -> None:
    first = helper.serve("first", "--detach")
    pid = facts(first)["pid"]
    second = helper.serve("second")
    assert facts(second)["id"] == "second"
    assert first.wait(10) == 143
    assert not Path(f"/proc/{pid}").exists()
    assert [session["id"] for session in helper.sessions()] == ["second"]
    pid = int(str(helper.sessions()[0]["pid"]))
    second.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    wait_until(lambda: helper.sessions() == [])


def test_one_of_several_concurrent_starts_survives(helper: Helper) -> None:
    started: list[subprocess.Popen[bytes]] = []
    for turn in range(3):
        started.extend(helper.serve(f"at-once-{turn}-{number}", "--detach") for number in range(3))
        wait_until(lambda: sum(one.poll() is None for one in started) == 1, 20)
        assert len(helper.sessions()) == 1
    helper.run("stop", "--group", helper.group)
    wait_until(lambda: helper.sessions() == [])


def test_a_relay_may_start_before_its_session_and_connects_at_the_first_byte(
    helper: Helper,
) -> None:
    relay = helper.start("relay", "--id", "later")
    process = helper.serve("later")
    facts(process)
    request = {
        "seq": 1,
        "type": "request",
        "command": "initialize",
        "arguments": {"adapterID": "x"},
    }
    data = json.dumps(request).encode()
    assert relay.stdin
    assert relay.stdout
    relay.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
    relay.stdin.flush()
    assert relay.stdout.readline().startswith(b"Content-Length: ")
    relay.stdin.close()
    assert relay.wait(10) == 0
    assert helper.run("stop", "--group", helper.group).returncode == 0
    assert process.wait(10) == 143


class Attached:
    """A relay, and a debugger connected via it."""

    def __init__(self, helper: Helper, name: str) -> None:
        self._helper = helper
        ours, theirs = socket.socketpair()
        words = [sys.executable, str(helper.file), "relay", "--id", name]
        self.relay = subprocess.Popen(words, stdin=theirs, stdout=theirs)
        theirs.close()
        self.debugger = Debugger(0, connection=ours)

    def attach(self, *lines: int) -> "Attached":
        folder = self._helper.folder
        self.debugger.attach(folder, str(folder), {str(folder / FILE): list(lines)})
        return self

    def line(self) -> int:
        """Wait for the next stop; return its line."""
        line: int = self.debugger.frames(self.debugger.stopped())[0]["line"]
        return line

    def close(self) -> None:
        self.debugger.close()

    def terminate(self) -> None:
        self.relay.terminate()


class Frames:
    """A control with frames; its output is skipped."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._frames = frames.Frames()
        self._notes: list[dict[str, Any]] = []

    def until(self, event: str) -> dict[str, Any]:
        """Wait for the next note of that event."""
        assert self._process.stdout
        while True:
            while self._notes:
                if (found := self._notes.pop(0))["event"] == event:
                    return found
            data = os.read(self._process.stdout.fileno(), 1 << 16)
            assert data, self._process.wait(10)
            told = self._frames.feed(data)
            self._notes += [json.loads(payload) for kind, payload in told if kind == frames.NOTE]

    def say(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()


LOST: list[Callable[[Attached], None]] = [Attached.close, Attached.terminate]


@pytest.mark.parametrize("lose", LOST)
def test_a_program_stays_at_its_breakpoint_for_the_next_debugger(
    helper: Helper, lose: Callable[[Attached], None]
) -> None:
    far = helper.serve("parked", "--grace", "60")
    facts(far)
    first = Attached(helper, "parked").attach(STOP)
    assert first.line() == STOP
    top = first.debugger.frames(1)[0]
    reference = first.debugger.request("scopes", frameId=top["id"])["scopes"]
    lose(first)
    far.kill()
    assert first.relay.wait(10) == OVER
    for _time in range(2):
        far = helper.start("control", "--id", "parked")
        facts(far)
        second = Attached(helper, "parked").attach(STOP, STOP + 1)
        assert second.line() == STOP
        thread_top = second.debugger.frames(1)[0]
        assert second.debugger.request("scopes", frameId=thread_top["id"])["scopes"] == reference
        assert second.debugger.variables(thread_top)["answer"] == "41"
        lose(second)
        far.kill()
        assert second.relay.wait(10) == OVER
    far = helper.start("control", "--id", "parked")
    facts(far)
    third = Attached(helper, "parked").attach(STOP + 1)
    third.line()
    third.debugger.go_on(1)
    assert third.line() == STOP + 1
    third.debugger.go_on(1)
    third.debugger.wait_for("terminated")
    third.close()
    assert far.stdout
    assert far.stdout.read().endswith(b"the answer is 42\n")
    assert far.wait(10) == 3


def test_a_breakpoint_stops_the_program_while_the_connection_is_parked(helper: Helper) -> None:
    far = helper.start(
        "serve", "--group", helper.group, "--id", "met", "--grace", "60", "--", FILE, "wait"
    )
    facts(far)
    first = Attached(helper, "met").attach(STOP, 10)
    first.line()
    first.debugger.go_on(1)
    first.close()
    far.kill()
    time.sleep(1)
    far = helper.start("control", "--id", "met")
    facts(far)
    second = Attached(helper, "met").attach()
    assert second.line() == 10
    # It has none any more, and the old one's are gone.
    second.debugger.go_on(1)
    assert far.stdout
    while b"second 5\n" not in far.stdout.readline():
        pass
    far.kill()


@pytest.mark.parametrize("grace", ["0", "1"])
def test_a_parked_program_ends_after_its_grace_time(helper: Helper, grace: str) -> None:
    far = helper.serve("short", "--grace", grace)
    pid = facts(far)["pid"]
    first = Attached(helper, "short").attach(STOP)
    first.line()
    first.close()
    far.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 20)
    wait_until(lambda: helper.sessions() == [], 20)


def test_a_relay_that_yields_leaves_the_program_stopped(helper: Helper) -> None:
    far = helper.serve("way", "--grace", "60")
    facts(far)
    first = Attached(helper, "way").attach(STOP)
    first.line()
    newer = Frames(helper.start("control", "--id", "way", "--frames"))
    newer.until("session")
    assert far.wait(10) == 70
    assert first.relay.wait(10) == OVER
    second = Attached(helper, "way").attach(STOP)
    assert second.line() == STOP
    second.debugger.go_on(1)
    assert newer.until("exited")["status"] == 3


def test_a_debugger_that_leaves_on_purpose_lets_the_program_run_on(helper: Helper) -> None:
    far = Frames(helper.serve("left", "--grace", "60", "--frames"))
    while far.until("session")["phase"] != "listening":
        pass
    first = Attached(helper, "left").attach(STOP)
    first.line()
    first.close()
    far.until("parked")
    far.say(note(do="release"))
    assert far.until("exited")["status"] == 3


def test_a_debugger_with_other_line_numbers_gets_a_new_connection(helper: Helper) -> None:
    far = helper.serve("other", "--grace", "60")
    facts(far)
    first = Attached(helper, "other").attach(STOP)
    first.line()
    first.close()
    far.kill()
    far = helper.start("control", "--id", "other")
    facts(far)
    second = Attached(helper, "other")
    body = second.debugger.request("initialize", adapterID="x", linesStartAt1=False)
    assert body["supportsConfigurationDoneRequest"]
    second.close()
    # The one before has left: the program runs on, to its end.
    assert far.wait(20) == 3


def test_without_a_client_the_program_runs_on_and_the_last_output_is_kept(
    helper: Helper,
) -> None:
    (helper.folder / FILE).write_text(
        "for n in range(20000):\n    print(n, 'x' * 60)\nx = input()\n"
    )
    process = helper.serve("loud", "--detach")
    found = facts(process)
    pid = found["pid"]
    debugger = Debugger(found["port"]).attach(helper.folder, str(helper.folder), {})
    process.kill()
    process.wait()
    debugger.wait_for("process")
    wait_until(lambda: waits_for_input(pid), 60)
    again = helper.start("control", "--id", "loud", "--from", "0")
    assert again.stdin
    assert again.stdout
    assert facts(again)["id"] == "loud"
    kept = again.stdout.read(900_000).splitlines()[1:-1]
    first = int(kept[0].split()[0])
    assert first > 1_000
    assert kept == [b"%d %s" % (n, b"x" * 60) for n in range(first, first + len(kept))]
    again.stdin.close()
    helper.run("stop", "--group", helper.group)
    debugger.close()


def waits_for_input(pid: int) -> bool:
    """Whether the process is reading standard input (proc(5), syscall)."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[:2] == ["0", "0x0"]


def test_errors_are_one_line(helper: Helper) -> None:
    helper.environment["PYTHONPATH"] = ""
    done = helper.run("serve", "--group", "g", "--id", "i", "--", FILE)
    assert done.returncode == 2
    assert b"has no debugpy\n" in done.stderr
    assert helper.run("control", "--group", helper.group).stderr.count(b"\n") == 1
    assert helper.run("serve", "--nonsense").stderr == b"igor: unknown argument --nonsense\n"
    assert helper.run("relay", "--id", "../x").stderr == b"igor: '../x' is no valid session name\n"
    helper.environment["PYTHONPATH"] = str(helper.folder)
    (helper.folder / "debugpy").mkdir()
    (helper.folder / "debugpy/__init__.py").touch()
    (helper.folder / FILE).chmod(0)
    file = str(helper.folder / FILE)
    options = ["serve", "--group", "g", "--id", "i", "--file", file, "--sha256", "00", "--", FILE]
    unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [*unprivileged, sys.executable, str(helper.file), *options],
        cwd=helper.folder, env=helper.environment, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"igor: {file} can't be read: Permission denied\n".encode()


def test_the_user_s_packages_are_not_those_of_a_virtual_environment(
    tmp_path: Path, library: Path
) -> None:
    helper = Helper(tmp_path, library)
    helper.environment |= {"PYTHONPATH": "", "PYTHONUSERBASE": str(tmp_path / "user")}
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    package = tmp_path / "user/lib" / version / "site-packages/debugpy"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    serve = ["serve", "--group", "g", "--id", "i", "--", FILE]
    done = subprocess.run(
        [tmp_path / "venv/bin/python", helper.file, *serve],
        cwd=tmp_path, env=helper.environment, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert b"has no debugpy\n" in done.stderr
