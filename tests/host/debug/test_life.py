"""Each way in which a debug session can end, and that nothing is left in the container."""

import contextlib
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from igor_core.errors import AgentError
from tests.lab import Host, Lab
from tests.support.agent_client import kill_agent, wait_until
from tests.support.dap_client import Debugger
from tests.support.debugged import STOP, InContainer, Session, make_project, program_runs
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.usefixtures("ssh_home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all tests of the file: its image and container take longest to make."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture
def project(folder: Path, lab: Lab) -> SampleProject:
    return make_project(folder, lab["apollo"], debug={"grace": 2})


def stopped(session: Session) -> Debugger:
    debugger = session.attach(STOP)
    debugger.stopped()
    return debugger


# -- the debugger leaves


def disconnect(debugger: Debugger) -> None:
    debugger.request("disconnect")


def vanish(debugger: Debugger) -> None:
    debugger.close()


def terminate(debugger: Debugger) -> None:
    debugger.request("terminate")
    debugger.close()


def test_the_first_of_two_debuggers_to_leave_ends_nothing(project: SampleProject) -> None:
    """Connect as a port scan and as a second client."""
    session = Session(project)
    event = session.debuggee()
    for _scan in range(3):
        Debugger(event["port"]).close()
    debugger = session.attach(STOP)
    thread = debugger.stopped()
    Debugger(event["port"]).close()
    debugger.go_on(thread)
    assert session.end()["status"] == 3


def test_the_newer_of_two_concurrent_starts_runs(project: SampleProject) -> None:
    inside = InContainer(project)
    for pause in (0.0, 0.3):
        older = Session(project, "wait")
        time.sleep(pause)
        newer = Session(project, "wait")
        assert "a newer session of its group was started" in older.end()["results"][0]["text"]
        newer.debuggee()
        assert sum(program_runs([line]) for line in inside.processes()) == 1
        newer.leave()
        inside.wait_until_empty()


def test_with_detach_the_program_runs_on_and_is_found_again(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"detach": True})
    inside = InContainer(project)
    session = Session(project, "wait")
    disconnect(stopped(session))
    session.said("second 1\n")
    session.leave()
    time.sleep(1)
    assert program_runs(inside.processes())
    again = Session(project, reattach=True)
    event = again.debuggee()
    again.said("second 15\n")
    assert b"second 1\n" not in again.job.output
    debugger = again.attach(event=event)
    assert debugger.request("threads")["threads"]
    newer = Session(project)
    newer.debuggee()
    assert "a newer session" in again.end()["results"][0]["text"]
    newer.attach().wait_for("terminated")
    assert newer.end()["status"] == 3
    inside.wait_until_empty()


# -- the client or the agent goes


def cancel(session: Session) -> None:
    from igor_core.agent.protocol import Kind

    session.job.client.send(Kind.CANCEL, session.job.request)
    outcome = session.end()
    assert outcome["status"] == 130
    assert outcome["results"][0]["text"] == "ended by TERM"


def go(session: Session) -> None:
    session.leave()


def test_a_program_without_a_debugger_can_be_ended(project: SampleProject) -> None:
    session = Session(project)
    session.debuggee()
    cancel(session)
    InContainer(project).wait_until_empty()


@pytest.mark.parametrize("grace", [0, 6])
def test_nothing_is_left_after_the_grace_time_of_a_killed_agent(
    folder: Path, lab: Lab, grace: int
) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": grace})
    session = Session(project, "wait")
    debugger = stopped(session)
    kill_agent()
    debugger.wait_for_end()
    inside = InContainer(project)
    began = time.monotonic()
    if grace:
        assert program_runs(inside.processes())
    inside.wait_until_empty(30)
    assert time.monotonic() - began >= grace - 1


def seconds(session: Session) -> list[int]:
    """How far the program has counted."""
    return [int(second) for second in re.findall(rb"second (\d+)\n", session.job.output)]


def test_a_new_agent_attaches_again_within_the_grace_time(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": 20})
    session = Session(project, "wait")
    thread = (debugger := session.attach(STOP)).stopped()
    debugger.go_on(thread)
    session.said("second 3\n")
    kill_agent()
    with contextlib.suppress(AgentError):
        session.said("never")
    again = Session(project, reattach=True)
    event = again.debuggee()
    assert event["session"] == session.debuggee_seen()["session"]
    again.said("second 30\n")
    # What it wrote meanwhile is there.
    numbers = seconds(again)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] <= seconds(session)[-1] + 1
    later = again.attach(10, event=event)
    top = later.frames(later.stopped())[0]
    assert top["line"] == 10
    cancel(again)
    InContainer(project).wait_until_empty()


def test_a_program_stays_at_its_breakpoint_until_the_next_debugger(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": 60})
    session = Session(project)
    debugger = stopped(session)
    for _time in range(2):
        kill_agent()
        debugger.wait_for_end()
        session = Session(project, reattach=True)
        debugger = session.attach(STOP, event=session.debuggee())
        thread = debugger.stopped()
        top = debugger.frames(thread)[0]
        assert (top["line"], debugger.variables(top)["answer"]) == (STOP, "41")
        assert b"the answer" not in session.job.output
    debugger.go_on(thread)
    assert session.end()["status"] == 3
    assert b"the answer is 42\n" in session.job.output
    InContainer(project).wait_until_empty()


def test_the_outcome_is_kept_for_the_grace_time_and_reported_once(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": 40})
    session = Session(project, "wait", "20")
    debugger = session.attach()
    session.said("second 3\n")
    kill_agent()
    debugger.wait_for_end()
    inside = InContainer(project)
    wait_until(lambda: not program_runs(inside.processes()), 30)
    again = Session(project, reattach=True)
    outcome = again.end()
    assert outcome["status"] == 3, outcome
    assert not again.events("debuggee")
    assert again.job.output.endswith(b"second 19\n")
    inside.wait_until_empty()
    refused = Session(project, reattach=True).end()
    assert refused["status"] == 255
    assert "no debugged program" in refused["results"][0]["text"]


def test_a_stopped_container_ends_the_session(project: SampleProject, lab: Lab) -> None:
    session = Session(project, "wait")
    debugger = stopped(session)
    lab["apollo"].docker("kill", f"dino-{project.root.name}-dev")
    outcome = session.end()
    assert "the container on apollo ended" in outcome["results"][0]["text"]
    debugger.wait_for_end()
    # The next one starts it again.
    session = Session(project)
    session.attach().wait_for("terminated")
    assert session.end()["status"] == 3
    InContainer(project).wait_until_empty()


# -- each of them, and the cable


class CutCable:
    """A host behind a cut cable, with two programs stopped at a breakpoint."""

    def __init__(self, folder: Path, host: Host) -> None:
        self._host = host
        self._short = make_project(folder / "short", host, debug={"grace": 1})
        self._long = make_project(folder / "long", host, debug={"grace": 90})
        self._sessions = [Session(self._short, "wait"), Session(self._long, "wait")]
        self._debuggers = [stopped(session) for session in self._sessions]
        host.cut()

    def check(self) -> None:
        """The program with a short grace time is gone; the other can be attached to again."""
        for session, debugger in zip(self._sessions, self._debuggers, strict=True):
            result = session.end()["results"][0]
            assert result["status"] == 255
            assert "was lost; the program keeps running on the host" in result["text"]
            debugger.wait_for_end()
        lost = self._sessions[1].events("lost-debuggee")[0]
        assert (lost["host"], lost["grace"]) == (self._host.name, 90)
        self._host.mend()
        again = Session(self._long, reattach=True)
        debugger = again.attach(STOP, event=again.debuggee())
        assert debugger.frames(debugger.stopped())[0]["line"] == STOP
        cancel(again)
        InContainer(self._long).wait_until_empty()
        InContainer(self._short).wait_until_empty(60)


def test_each_way_to_leave_ends_the_program_and_a_cut_cable_after_the_grace_time(
    folder: Path, lab: Lab
) -> None:
    """All other ways to leave, while the cable is cut, which takes half a minute to notice."""
    cable = CutCable(folder, lab["enterprise"])
    project = make_project(folder, lab["apollo"], debug={"grace": 300})
    inside = InContainer(project)
    for leave in (disconnect, vanish, terminate):
        session = Session(project, "wait")
        leave(stopped(session))
        outcome = session.end()
        # debugpy ends a program by "terminate" in its own way.
        assert outcome["status"] == (0 if leave is terminate else 143)
        # It has not run on.
        assert b"the answer" not in session.job.output
        inside.wait_until_empty()
    for way in (cancel, go):
        session = Session(project, "wait")
        debugger = stopped(session)
        way(session)
        inside.wait_until_empty()
        debugger.wait_for_end()
    cable.check()


# -- a terminal


def test_ctrl_c_ends_igor_debug_and_the_program(project: SampleProject) -> None:
    process = project.start("debug", "train/models/fit.py", "wait")
    assert process.stderr
    for line in process.stderr:
        if "waiting for a debugger on 127.0.0.1:" in line:
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 130
    InContainer(project).wait_until_empty()


def test_igor_debug_ends_with_the_program_s_status_and_passes_stdin(
    project: SampleProject,
) -> None:
    from tests.support.cli_process import COMMAND, environment

    process = subprocess.Popen(
        [*COMMAND, "debug", "train/models/fit.py", "read"], cwd=project.root, env=environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    assert process.stdin
    process.stdin.write("loud\n")
    process.stdin.close()
    port = 0
    for line in process.stderr:
        if "waiting for a debugger on 127.0.0.1:" in line:
            port = int(line.rsplit(":", 1)[1])
        if "VS Code" in line:
            break
    debugger = Debugger(port).attach(project.root, "/workspace", {})
    assert process.wait(20) == 3
    assert process.stdout
    assert process.stdout.read().endswith("the answer is 42\nread LOUD\n\n")
    debugger.wait_for_end()
