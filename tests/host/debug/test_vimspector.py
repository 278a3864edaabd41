"""F5 without igor: what .vimspector.json starts by itself, with real hosts and containers.

The debugger is the tests' own, which goes the ways of Vimspector's: the launch command in a
terminal, the adapter's command on pipes.
"""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import wait_until
from tests.support.dap_client import Debugger
from tests.support.debugged import FILE, PROGRAM, STOP, InContainer, make_project
from tests.support.sample_project import SampleProject
from tests.support.vimspector_rules import expanded, mistakes, run_command

# By getpwuid, ssh would read the configuration of whoever runs the tests.
SSH = '#!/bin/sh\nexec /usr/bin/ssh -F "$SSH_CONFIG" "$@"\n'


class Plain:
    """Vimspector alone: the project's file, ssh, and no process of igor."""

    def __init__(self, project: SampleProject, ssh_home: Path, engine: str) -> None:
        self.project = project
        self._engine = engine
        programs = ssh_home / "bin"
        programs.mkdir()
        (programs / "ssh").write_text(SSH)
        (programs / "ssh").chmod(0o755)
        self._environment = {
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
            "SSH_CONFIG": str(ssh_home / ".ssh" / "config"),
        }  # fmt: skip
        self._started: list[subprocess.Popen[bytes]] = []
        self._launches = 0

    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.project.root / ".vimspector.json").read_text())
        assert mistakes(found) == []
        return found

    def launch(self, file: str, name: str = "dev") -> tuple["subprocess.Popen[bytes]", Debugger]:
        """Start the program in a terminal, and a debugger on the adapter's pipes."""
        self._launches += 1
        values = {
            "workspaceRoot": str(self.project.root), "relativeFile": file,
            "unusedLocalPort": str(40000 + self._launches),
        }  # fmt: skip
        content = expanded(self.content(), values)
        configuration = content["configurations"][f"igor: launch {name}"]
        adapter = content["adapters"][configuration["adapter"]]
        program = self._start(run_command(configuration, adapter))
        return program, self.debugger(adapter["command"])

    def debugger(self, command: list[str]) -> Debugger:
        """Return a debugger for an adapter on pipes."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            debugger = Debugger(server.getsockname()[1])
            connection, _ = server.accept()
        adapter = self._start(command)
        assert adapter.stdin is not None
        assert adapter.stdout is not None
        _pump(connection.fileno(), adapter.stdin.fileno(), connection)
        _pump(adapter.stdout.fileno(), connection.fileno(), connection)
        return debugger

    def inside(self) -> InContainer:
        return InContainer(self.project, engine=self._engine)

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()

    def _start(self, words: list[str]) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            words, cwd=self.project.root, env=self._environment, stdin=pipe, stdout=pipe,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._started.append(process)
        return process


def _pump(source: int, target: int, owner: socket.socket) -> None:
    """Copy bytes until the end; the caller closes both files."""

    def run() -> None:
        try:
            while data := os.read(source, 1 << 16):
                while data:
                    data = data[os.write(target, data) :]
            owner.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    threading.Thread(target=run, daemon=True).start()


def until_stopped(debugger: Debugger, project: SampleProject, file: str, line: int) -> int:
    """Attach as Vimspector does and wait for the line; return the thread."""
    debugger.attach(project.root, "/workspace", {str(project.root / file): [line]})
    thread = debugger.stopped()
    top = debugger.frames(thread)[0]
    assert (top["line"], top["source"]["path"]) == (line, str(project.root / file))
    return thread


def said_in(terminal: "subprocess.Popen[bytes]") -> bytes:
    """All output in a terminal, whose input stays open to the end."""
    assert terminal.stdout is not None
    said = terminal.stdout.read()
    terminal.wait(15)
    return said


@pytest.fixture(params=["docker", "podman"])
def plain(request: pytest.FixtureRequest, lab: Lab, ssh_home: Path) -> Iterator[Plain]:
    """A project that is set up, with its file, and no agent."""
    runtime = request.param
    host: Host = lab["apollo"] if runtime == "docker" else request.getfixturevalue("podman_host")
    more = {"docker_run_args": ["--network=host"]} if runtime == "podman" else {}
    project = make_project(ssh_home, host, runtime=runtime, **more)
    project.write("src/it's $HOME.py", PROGRAM)
    done = project.igor("docker", "setup")
    assert done.returncode == 0, done.stderr
    assert project.igor("vimspector").returncode == 0
    project.igor("agent", "stop")
    plain = Plain(project, ssh_home, runtime)
    yield plain
    plain.end()


def test_f5_stops_at_a_breakpoint_and_shows_the_end_and_leaves_nothing(plain: Plain) -> None:
    inside = plain.inside()
    for file in (FILE, "src/it's $HOME.py"):
        terminal, debugger = plain.launch(file)
        thread = until_stopped(debugger, plain.project, file, STOP)
        assert debugger.variables(debugger.frames(thread)[0])["answer"] == "41"
        debugger.go_on(thread)
        assert b"the answer is 42" in said_in(terminal)
        assert terminal.returncode == 3
        debugger.close()
        wait_until(lambda: inside.processes() == [], 15)


def test_a_killed_editor_leaves_nothing_and_the_next_launch_ends_the_one_before(
    plain: Plain,
) -> None:
    inside = plain.inside()
    first, debugger = plain.launch(FILE)
    until_stopped(debugger, plain.project, FILE, STOP)
    second, other = plain.launch(FILE)
    until_stopped(other, plain.project, FILE, STOP)
    said_in(first)
    assert len([each for each in inside.processes() if FILE in each and "serve" not in each]) >= 1
    second.kill()
    other.close()
    wait_until(lambda: inside.processes() == [], 30)


def test_what_the_host_lacks_is_printed_in_the_terminal(plain: Plain) -> None:
    plain.project.write("dockerfile", "FROM igor-base:latest\n")
    assert plain.project.igor("docker", "setup").returncode == 0
    terminal, debugger = plain.launch(FILE)
    assert b"has no debugpy" in said_in(terminal)
    assert terminal.returncode == 2
    debugger.close()
