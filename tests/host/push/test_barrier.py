"""The barrier: a command on a host runs the local files, at the cost of a local scan."""

import os
import signal
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from igor_core import directories
from tests.lab import Host, Lab
from tests.support.agent_client import Seen, client
from tests.support.following import Editor, FollowedProject, of

RTT_MS = 80


class Terminal:
    """A client that runs commands on the project's hosts, one after the other."""

    def __init__(self, project: FollowedProject) -> None:
        self._project = project
        self._client = client()

    def run(self, *argv: str, **args: Any) -> Seen:
        done = Seen(self._client, "exec", self._project.root, argv=list(argv), **args)
        done.end()
        return done


def said(done: Seen, host: Host) -> str:
    """Return what the command wrote to its output on a host."""
    events = [e for e in done.events if e["type"] == "output" and e["host"] == host.name]
    return b"".join(event["data"] for event in events).decode()


def result(done: Seen, host: Host) -> dict[str, Any]:
    assert done.outcome is not None
    found: dict[str, Any] = of({"hosts": done.outcome["results"]}, host.name)
    return found


def warnings(done: Seen) -> list[str]:
    return [event["text"] for event in done.events if event["type"] == "warning"]


@pytest.fixture
def hosts(lab: Lab, ssh_home: Path) -> list[Host]:
    return [lab["apollo"], lab["enterprise"]]


@pytest.fixture
def project(hosts: list[Host], tmp_path: Path) -> Iterator[FollowedProject]:
    made = FollowedProject(tmp_path / "project", hosts, push_on_write=False)
    made.write("main.py", "print(1)")
    made.write("other.py", "x")
    yield made
    log = directories.log_path().read_text()
    print(log)
    assert "Traceback" not in log


@pytest.fixture(params=["no editor", "an editor"])
def terminal(request: pytest.FixtureRequest, project: FollowedProject) -> Terminal:
    """With and without an editor that pushes each save."""
    if request.param == "an editor":
        project.trust()
        Editor(project, push_on_write=True).until_fresh()
    made = Terminal(project)
    made.run("true")
    return made


def test_a_command_sees_the_last_edit(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    for turn in range(30):
        # All of one length: neither size nor second distinguishes them.
        project.write("main.py", f"edit {turn:04}")
        done = terminal.run("cat", "main.py")
        assert [said(done, host) for host in hosts] == [f"edit {turn:04}"] * 2


def test_a_command_sees_what_was_made_deleted_and_renamed(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    for turn in range(5):
        project.write(f"new{turn}", "x")
        (project.root / "other.py").rename(project.root / "renamed")
        done = terminal.run("ls")
        assert said(done, hosts[0]).split() == ["main.py", f"new{turn}", "renamed"]
        (project.root / f"new{turn}").unlink()
        (project.root / "renamed").rename(project.root / "other.py")
        done = terminal.run("ls")
        assert said(done, hosts[1]).split() == ["main.py", "other.py"]


def test_a_command_follows_a_branch_switch(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    project.git("add", ".")
    project.git("commit", "-qm", "one")
    project.git("checkout", "-qb", "other")
    for number in range(100):
        project.write(f"pkg/{number}.py", "x")
    project.write("main.py", "print(2)")
    project.git("add", ".")
    project.git("commit", "-qm", "two")
    assert said(terminal.run("sh", "-c", "ls pkg | wc -l"), hosts[0]).strip() == "100"
    project.git("checkout", "-q", "main")
    done = terminal.run("cat", "main.py")
    assert [said(done, host) for host in hosts] in (["print(1)"] * 2, ["", ""])
    if said(done, hosts[0]) == "":
        # With so many deletes igor asks first, and until it gets an answer nothing runs.
        assert "would delete 100 of the" in result(done, hosts[0])["text"]
        assert project.call("push", allow_deletes=True)["status"] == 0
    assert said(terminal.run("cat", "main.py"), hosts[0]) == "print(1)"


def test_on_a_host_that_is_offline_nothing_runs_and_the_other_one_does_its_part(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.kill_sshd()
    project.write("main.py", "meanwhile")
    done = terminal.run("cat", "main.py")
    assert said(done, enterprise) == "meanwhile"
    assert not result(done, apollo)["ok"]
    assert "apollo" in result(done, apollo)["text"]
    assert said(done, apollo) == ""
    apollo.start_sshd()
    done = terminal.run("cat", "main.py")
    assert [said(done, host) for host in hosts] == ["meanwhile"] * 2


def test_a_receiver_that_was_killed_is_no_reason_to_run_old_code(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    for turn in range(3):
        for pid in project.receivers(hosts[0]):
            os.kill(pid, signal.SIGKILL)
        project.write("main.py", f"edit {turn}")
        done = terminal.run("cat", "main.py")
        assert [said(done, host) for host in hosts] == [f"edit {turn}"] * 2


def test_what_is_held_back_is_named_and_blocks_only_what_is_to_run(
    project: FollowedProject, terminal: Terminal, hosts: list[Host]
) -> None:
    apollo = hosts[0]
    project.write_there(apollo, "main.py", "theirs")
    project.write("main.py", "ours")
    for _ in range(2):
        done = terminal.run("cat", "other.py")
        assert [said(done, host) for host in hosts] == ["x"] * 2
        assert len(warnings(done)) == 1
        assert "main.py (changed on the host)" in warnings(done)[0]
    done = terminal.run("cat", "main.py")
    assert [said(done, host) for host in hosts] == ["", "ours"]
    assert "main.py" in result(done, apollo)["text"]
    assert "nothing was run" in result(done, apollo)["text"]
    done = terminal.run("cat", "main.py", no_push=True)
    assert [said(done, host) for host in hosts] == ["theirs", "ours"]


def test_the_warm_barrier_costs_no_round_trip(project: FollowedProject, hosts: list[Host]) -> None:
    for number in range(600):
        project.write(f"pkg/{number}.py", f"{number}" * 100)
    for host in hosts:
        host.delay(0)
    project.trust()
    editor = Editor(project, push_on_write=True)
    editor.until_fresh()
    for host in hosts:
        host.delay(RTT_MS)
    terminal = Terminal(project)

    def seconds(**args: Any) -> float:
        before = time.perf_counter()
        assert (terminal.run("true", **args).outcome or {})["status"] == 0
        return time.perf_counter() - before

    pairs = [(seconds(), seconds(no_push=True)) for _ in range(7)]
    with_barrier, without = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert with_barrier - without < 0.5 * RTT_MS / 1000


def test_a_barrier_waits_for_a_save_that_is_on_its_way(
    project: FollowedProject, hosts: list[Host]
) -> None:
    for host in hosts:
        host.delay(0)
    project.trust()
    editor = Editor(project, push_on_write=True)
    editor.until_fresh()
    for host in hosts:
        host.delay(RTT_MS)
    terminal = Terminal(project)
    for turn in range(5):
        project.write("main.py", f"edit {turn}")
        editor.save("main.py")
        done = terminal.run("cat", "main.py")
        assert [said(done, host) for host in hosts] == [f"edit {turn}"] * 2
