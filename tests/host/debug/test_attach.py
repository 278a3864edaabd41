"""igor attach on a real host: a real debugger attaches to a running program, and leaves again."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from igor_core.environment import HostEnvironment
from tests.lab import Host, Lab
from tests.lab.required import require_peer
from tests.support.agent_client import Seen, client, kill_agent, wait_until
from tests.support.attached import (
    FILE,
    LATE,
    PTRACE,
    PYTHON,
    STOP,
    Running,
    late_config,
    make_project,
    mounted,
)
from tests.support.cli_process import Terminal
from tests.support.dap_client import DapError, Debugger
from tests.support.local_project import make_local_project
from tests.support.remote import connected
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(180)
#: The image's own Python, which lets nobody in without a gdb.
WITH_GDB = """\
FROM igor-base:latest
ENV VIRTUAL_ENV=/venv/tools PATH=/opt/gdb/usr/bin:/usr/bin:/bin
"""
BARE = "FROM igor-base:latest\n"


@pytest.fixture
def late(ssh_home: Path, lab: Lab) -> Iterator[Running]:
    host = lab["apollo"]
    project = make_project(ssh_home, host, LATE, **late_config(host, PTRACE))
    assert project.igor("docker", "setup").returncode == 0
    running = Running(project)
    yield running
    running.kill()
    project.igor("agent", "stop")


class Attached:
    """A job of `attach`, and a debugger at its port."""

    def __init__(self, running: Running, **more: Any) -> None:
        self.project = running.project
        self.job = Seen(client(), "attach", self.project.root, pid=running.pid, **more)
        self.job.until(lambda job: job.outcome or self.events("debuggee"))

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.job.events if event["type"] == kind]

    def debugger(self) -> Debugger:
        (event,) = self.events("debuggee")
        file = str(self.project.root / FILE)
        found = Debugger(event["port"])
        return found.attach(event["local_root"], event["remote_root"], {file: [STOP]})

    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = self.job.end()["results"][0]
        return result


def terminate(_attached: Attached, debugger: Debugger) -> None:
    """End the session as nvim-dap does."""
    debugger.request("terminate")


def vanish(_attached: Attached, debugger: Debugger) -> None:
    debugger.close()


def leave_with_the_editor(attached: Attached, debugger: Debugger) -> None:
    attached.job.client.close()
    debugger.close()


def test_the_process_runs_on_whichever_way_the_debugger_leaves(late: Running) -> None:
    ways: list[Callable[[Attached, Debugger], None]]
    ways = [terminate, leave_with_the_editor, vanish]
    for leave in ways:
        attached = Attached(late)
        assert attached.events("debuggee")[0]["process"] == late.pid
        debugger = attached.debugger()
        thread = debugger.stopped()
        top = debugger.frames(thread)[0]
        assert (top["source"]["path"], top["line"]) == (str(late.project.root / FILE), STOP)
        assert debugger.variables(top)["text"].startswith("'step ")
        again = Attached(late).result()
        assert "already attached to process" in again["text"], again
        leave(attached, debugger)
        if leave is not leave_with_the_editor:
            assert attached.result()["text"] == f"process {late.pid} runs on"
        late.goes_on()
    wait_until(lambda: not adapters(late), 15)
    attached = Attached(late)
    debugger = attached.debugger()
    debugger.request("setBreakpoints", source={"path": str(late.project.root / FILE)})
    debugger.go_on(debugger.stopped())
    assert late.end().endswith("the end\n")
    debugger.wait_for("terminated")
    assert attached.result()["text"] == f"process {late.pid} has ended"


def test_the_process_survives_a_killed_agent_and_can_be_attached_to_again(late: Running) -> None:
    host, name = late.project.hosts[0], f"dino-{late.project.root.name}-dev"
    host.docker("exec", "--detach", name, PYTHON, FILE)
    wait_until(lambda: len(late.processes()) == 2)
    late.pid = late.processes()[1]["pid"]
    Attached(late).debugger().stopped()
    kill_agent()
    wait_until(lambda: not adapters(late), 60)
    _attach_and_leave_in_the_end(late)


def _attach_and_leave_in_the_end(late: Running) -> None:
    """Attach, stop and leave; leftovers of a killed adapter may end a session or two before."""
    for _time in range(5):
        attached = Attached(late)
        try:
            debugger = attached.debugger()
            debugger.stopped()
            debugger.request("disconnect")
        except DapError:
            attached.result()
            continue
        return
    raise AssertionError("nobody can attach to it any more")


def adapters(running: Running) -> list[str]:
    name = f"dino-{running.project.root.name}-dev"
    found = running.project.hosts[0].docker("top", name, "-eo", "pid,args").stdout
    return [line for line in found.splitlines() if "debugpy" in line]


def test_at_a_terminal_igor_asks_which_process_and_ctrl_c_leaves_it(late: Running) -> None:
    listed = late.project.igor("attach")
    assert listed.returncode == 0
    head, row = listed.stdout.splitlines()
    assert head.split()[:2] == ["PID", "host"]
    assert row.split()[:2] == [str(late.pid), "apollo"]
    assert row.endswith(f"{PYTHON} {FILE}")
    completed = late.project.igor("__complete", "attach", "").stdout
    assert completed == f"{late.pid}\tapollo: {PYTHON} {FILE}\n"
    terminal = Terminal("attach", cwd=late.project.root)
    terminal.wait_for("attach to which process? [1-1] ")
    terminal.type("1\r")
    terminal.wait_for("waiting for a debugger on 127.0.0.1:")
    terminal.type("\x03")
    assert terminal.end() == 130
    late.goes_on()


def attach_and_leave(running: Running, way: str) -> None:
    attached = Attached(running)
    (step,) = attached.events("step")
    assert re.search(f"attaches by {way}$", step["text"])
    debugger = attached.debugger()
    assert debugger.frames(debugger.stopped())[0]["line"] == STOP
    debugger.request("disconnect")
    assert attached.result()["text"] == f"process {running.pid} runs on"
    running.goes_on()


def test_an_older_python_is_attached_to_by_gdb(ssh_home: Path, lab: Lab) -> None:
    require_peer("gdb")
    host = lab["apollo"]
    volume = mounted(host, "gdb")
    project = make_project(ssh_home, host, WITH_GDB, docker_run_args=[volume, PTRACE])
    assert project.igor("docker", "setup").returncode == 0
    running = Running(project)
    for _time in range(2):
        attach_and_leave(running, "gdb 1[4-9]")
    running.kill()
    project.igor("agent", "stop")


def test_podman(ssh_home: Path, podman_host: Host) -> None:
    config = late_config(podman_host, PTRACE)
    project = make_project(ssh_home, podman_host, LATE, runtime="podman", **config)
    assert project.igor("docker", "setup").returncode == 0
    running = Running(project)
    attach_and_leave(running, "Python 3.14 itself")
    running.kill()
    project.igor("agent", "stop")


def attach_refused(project: SampleProject) -> dict[str, Any]:
    running = Running(project)
    try:
        outcome = Seen(client(), "attach", project.root, pid=running.pid).end()
        result: dict[str, Any] = outcome["results"][0]
        assert outcome["status"] == 1
        return result
    finally:
        running.kill()


def test_what_the_image_lacks_is_named_first(ssh_home: Path, lab: Lab) -> None:
    host = lab["apollo"]
    project = make_project(ssh_home, host, LATE, **late_config(host))
    nothing = project.igor("attach", "7")
    assert "no container of this project runs on apollo" in nothing.stderr
    assert project.igor("docker", "setup").returncode == 0
    nobody = project.igor("attach", "77777")
    assert "there is no Python process 77777 of this project in the container" in nobody.stderr
    refused = attach_refused(project)
    assert "the engine's seccomp filter forbids it in this container" in refused["text"]
    assert PTRACE in refused["hint"]
    project.write("dockerfile", BARE)
    project.configure(docker_rebuild_files=[])
    assert project.igor("docker", "setup", "--force").returncode == 0
    refused = attach_refused(project)
    assert "has no debugpy" in refused["text"]
    assert "pip install debugpy" in refused["hint"]


async def test_the_real_root_on_a_host_has_no_links(
    ssh_home: Path, lab: Lab, tmp_path: Path
) -> None:
    host = lab["apollo"]
    project = make_local_project(tmp_path)
    host.run(["mkdir", "-p", f"{host.home}/real place/project"], check=True)
    host.run(["ln", "-sfn", "real place", f"{host.home}/linked"], check=True)
    entry = replace(project.config.group("dev").hosts[0], dir="~/linked")
    async with connected("apollo") as remote:
        environment = HostEnvironment(
            name="apollo", project=project, group="dev", entry=entry, remote=remote
        )
        assert await environment.real_root() == f"{host.home}/real place/project"
