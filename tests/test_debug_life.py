"""The end of a debug session in each way there is, and what is left in the container: nothing."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent_client import kill_agent, wait_until
from tests.dap_client import Debugger
from tests.debugged import STOP, Inside, Session, make_project, program_runs
from tests.lab import Lab
from tests.sample_project import SampleProject

pytestmark = pytest.mark.usefixtures("ssh_home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For one project of all tests here: making its image and container takes longest."""
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


@pytest.mark.parametrize("leave", [disconnect, vanish, terminate])
def test_the_last_debugger_that_goes_ends_the_program_where_it_is(
    project: SampleProject, leave: Callable[[Debugger], None]
) -> None:
    session = Session(project, "wait")
    leave(stopped(session))
    outcome = session.end()
    # debugpy ends a program by "terminate" in its own way.
    assert outcome["status"] == (0 if leave is terminate else 143)
    # It has not run on.
    assert b"the answer" not in session.job.output
    Inside(project).wait_until_empty()


def test_one_of_two_debuggers_may_go(project: SampleProject) -> None:
    """As a port scan and a second client do."""
    session = Session(project)
    event = session.debuggee()
    for _scan in range(3):
        Debugger(event["port"]).close()
    debugger = session.attach(STOP)
    thread = debugger.stopped()
    Debugger(event["port"]).close()
    debugger.go_on(thread)
    assert session.end()["status"] == 3


def test_with_detach_it_runs_on_and_is_found_again(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"detach": True})
    inside = Inside(project)
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
    assert "another session" in again.end()["results"][0]["text"]
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


def leave(session: Session) -> None:
    session.leave()


@pytest.mark.parametrize("way", [cancel, leave])
def test_the_end_of_the_client_is_the_program_s(
    project: SampleProject, way: Callable[[Session], None]
) -> None:
    session = Session(project, "wait")
    debugger = stopped(session)
    began = time.monotonic()
    way(session)
    Inside(project).wait_until_empty()
    assert time.monotonic() - began < 5
    debugger.wait_for_end()


def test_a_program_that_nobody_attaches_to_is_ended_too(project: SampleProject) -> None:
    session = Session(project)
    session.debuggee()
    cancel(session)
    Inside(project).wait_until_empty()


@pytest.mark.parametrize("grace", [0, 6])
def test_after_the_grace_nothing_is_left_by_a_killed_agent(
    folder: Path, lab: Lab, grace: int
) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": grace})
    session = Session(project, "wait")
    debugger = stopped(session)
    kill_agent()
    debugger.wait_for_end()
    inside = Inside(project)
    began = time.monotonic()
    if grace:
        assert program_runs(inside.processes())
    inside.wait_until_empty(30)
    assert time.monotonic() - began >= grace - 1


def test_within_the_grace_a_new_agent_comes_back_to_it(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": 20})
    session = Session(project, "wait")
    thread = (debugger := session.attach(STOP)).stopped()
    debugger.go_on(thread)
    session.said("second 3\n")
    kill_agent()
    again = Session(project, reattach=True)
    event = again.debuggee()
    assert event["session"] == session.debuggee_seen()["session"]
    again.said("second 30\n")
    # What it wrote meanwhile is there.
    numbers = [int(word) for word in again.job.output.split()[1::2]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] <= 5
    later = again.attach(10, event=event)
    top = later.frames(later.stopped())[0]
    assert top["line"] == 10
    cancel(again)
    Inside(project).wait_until_empty()


def test_the_outcome_is_kept_for_the_grace_and_told_once(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"grace": 40})
    session = Session(project)
    thread = (debugger := session.attach(STOP)).stopped()
    kill_agent()
    assert thread
    debugger.wait_for_end()
    # Stopped no more, it has come to its end.
    inside = Inside(project)
    wait_until(lambda: not program_runs(inside.processes()), 10)
    again = Session(project, reattach=True)
    outcome = again.end()
    assert outcome["status"] == 3, outcome
    assert b"the answer is 42\n" in again.job.output
    inside.wait_until_empty()
    refused = Session(project, reattach=True).end()
    assert refused["status"] == 255
    assert "no debugged program" in refused["results"][0]["text"]


def test_the_container_that_ends_takes_the_session_with_it(
    project: SampleProject, lab: Lab
) -> None:
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
    Inside(project).wait_until_empty()


# -- the cable


def test_a_cut_cable(folder: Path, lab: Lab) -> None:
    """On apollo nothing is left after the grace; on enterprise it is found again."""
    short = make_project(folder / "short", lab["apollo"], debug={"grace": 1})
    long = make_project(folder / "long", lab["enterprise"], debug={"grace": 60})
    sessions = [Session(short, "wait"), Session(long, "wait")]
    debuggers = [stopped(session) for session in sessions]
    for name in ("apollo", "enterprise"):
        lab[name].cut()
    outcomes = [session.end() for session in sessions]
    for debugger in debuggers:
        debugger.wait_for_end()
    for outcome in outcomes:
        assert outcome["status"] == 255
        assert "was lost; the program lives on" in outcome["results"][0]["text"]
    lost = sessions[1].events("lost-debuggee")[0]
    assert (lost["host"], lost["grace"]) == ("enterprise", 60)
    lab["enterprise"].mend()
    again = Session(long, reattach=True)
    again.debuggee()
    assert program_runs(Inside(long).processes())
    cancel(again)
    Inside(long).wait_until_empty()
    Inside(short).wait_until_empty(45)


# -- a terminal


def test_ctrl_c_ends_igor_debug_and_the_program(project: SampleProject) -> None:
    process = project.start("debug", "train/models/fit.py", "wait")
    assert process.stderr
    for line in process.stderr:
        if "waits for a debugger at 127.0.0.1:" in line:
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 130
    Inside(project).wait_until_empty()


def test_igor_debug_ends_with_the_program_s_status_and_passes_stdin(
    project: SampleProject,
) -> None:
    from tests.cli_process import COMMAND, environment

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
        if "waits for a debugger at 127.0.0.1:" in line:
            port = int(line.rsplit(":", 1)[1])
        if "VS Code" in line:
            break
    debugger = Debugger(port).attach(project.root, "/workspace", {})
    assert process.wait(20) == 3
    assert process.stdout
    assert process.stdout.read().endswith("the answer is 42\nread LOUD\n\n")
    debugger.wait_for_end()
