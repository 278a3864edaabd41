"""The helper by itself: as an editor starts it without igor, and as any Python 3.6 can read it."""

import ast
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from igor_core.debug.source import helper_source
from tests.agent_client import wait_until
from tests.dap_client import Debugger
from tests.debugged import FILE, PROGRAM, STOP
from tests.lab.cache import base_tarball
from tests.lab.required import require_peer

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
        self.file.write_text(helper_source())
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
    """The line that says that debugpy listens."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(b"IGOR-DEBUG "), (line, process.poll())
    found: dict[str, Any] = json.loads(line.partition(b" ")[2])
    return found


def test_an_old_python_can_read_it_and_no_name_is_there_twice() -> None:
    tree = ast.parse(helper_source(), feature_version=(3, 6))
    names = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names


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


def test_its_end_is_the_program_s_and_a_new_session_is_the_old_one_s(helper: Helper) -> None:
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


def test_of_those_that_start_at_once_one_is_left(helper: Helper) -> None:
    started: list[subprocess.Popen[bytes]] = []
    for turn in range(3):
        started.extend(helper.serve(f"at-once-{turn}-{number}", "--detach") for number in range(3))
        wait_until(lambda: sum(one.poll() is None for one in started) == 1, 20)
        assert len(helper.sessions()) == 1
    helper.run("stop", "--group", helper.group)
    wait_until(lambda: helper.sessions() == [])


def test_a_relay_may_come_before_its_session_and_connects_with_the_first_byte(
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


def test_without_a_reader_the_program_is_not_held_up_and_the_last_output_is_kept(
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
    """Whether a read of standard input is what the process is in (proc(5), syscall)."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[:2] == ["0", "0x0"]


def test_what_is_wrong_is_said_in_one_line(helper: Helper) -> None:
    helper.environment["PYTHONPATH"] = ""
    done = helper.run("serve", "--group", "g", "--id", "i", "--", FILE)
    assert done.returncode == 2
    assert b"has no debugpy\n" in done.stderr
    assert helper.run("control", "--group", helper.group).stderr.count(b"\n") == 1
    assert helper.run("serve", "--nonsense").stderr == b"igor: what is --nonsense?\n"
    assert helper.run("relay", "--id", "../x").stderr == b"igor: '../x' is no name of a session\n"
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
