"""What can be debugged, and where: children, tests, modules, ranks, podman, bare hosts."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.lab.cache import base_tarball
from tests.support.agent_client import kill_agent, wait_until
from tests.support.dap_client import DapError, Debugger
from tests.support.debugged import FILE, STOP, InContainer, Session, make_project, program_runs

pytestmark = pytest.mark.usefixtures("ssh_home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all tests of the file: its image and container take longest to make."""
    return tmp_path_factory.mktemp("here")


CHILDREN = """\
import multiprocessing
import subprocess
import sys


def work(number):
    value = number * 2
    print("worked", value, flush=True)


if __name__ == "__main__":
    kind = sys.argv[1]
    if kind == "child":
        work(21)
        sys.exit()
    elif kind == "subprocess":
        subprocess.run([sys.executable, __file__, "child"], check=True)
    else:
        child = multiprocessing.get_context(kind).Process(target=work, args=(21,))
        child.start()
        child.join()
    sys.exit(4)
"""
IN_CHILD = 8


def follow(session: Session) -> list[tuple[int, str]]:
    """Attach to the program and, as editors do, to its children; return all stops."""
    parent = session.attach(IN_CHILD)
    debuggers, stops = [parent], []
    while not parent.closed:
        for configuration in [parent.children.pop() for _child in list(parent.children)]:
            connect = configuration["connect"]
            child = Debugger(connect["port"], connect["host"])
            debuggers.append(child)
            try:
                child.attach(
                    session.project.root, "/workspace", {session.file: [IN_CHILD]},
                    subProcessId=configuration["subProcessId"],
                )  # fmt: skip
            except DapError:
                continue  # it was gone before
        for debugger in debuggers:
            try:
                thread = debugger.stopped(0.1)
                top = debugger.frames(thread)[0]
                stops.append((top["line"], debugger.variables(top)["value"]))
                debugger.go_on(thread)
            except DapError:
                continue
        if any(event["event"] == "terminated" for event in parent.events):
            break
    return stops


def test_children_stop_only_with_subprocess(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"subprocess": True})
    project.write(FILE, CHILDREN)
    for kind in ("subprocess", "fork", "spawn"):
        session = Session(project, kind)
        assert session.debuggee()["subprocess"]
        assert follow(session) == [(IN_CHILD, "42")], kind
        assert session.end()["status"] == 4
        assert b"worked 42\n" in session.job.output
    InContainer(project).wait_until_empty()
    project.configure(docker_rebuild_files=[], debug_port=20900)
    for kind in ("fork", "spawn"):
        session = Session(project, kind)
        assert follow(session) == [], kind
        assert session.end()["status"] == 4
        assert b"worked 42\n" in session.job.output
    InContainer(project).wait_until_empty()


def test_a_program_with_children_ends_when_all_debuggers_leave(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], debug={"subprocess": True})
    project.write(
        FILE, CHILDREN.replace("    value =", "    __import__('time').sleep(60)\n    value =")
    )
    session = Session(project, "fork")
    parent = session.attach(IN_CHILD)
    wait_until(lambda: parent.children)
    (configuration,) = parent.children
    child = Debugger(configuration["connect"]["port"])
    child.attach(
        project.root, "/workspace", {session.file: [IN_CHILD]},
        subProcessId=configuration["subProcessId"],
    )  # fmt: skip
    child.request("disconnect")
    parent.send("disconnect")
    assert "its debugger has left" in session.end()["results"][0]["text"]
    InContainer(project).wait_until_empty()


def test_modules_tests_and_programs_of_the_config(folder: Path, lab: Lab) -> None:
    program = {"program": FILE, "args": ["read"], "cwd": "train", "env": {"COLOUR": "red"}}
    # One has the name of a folder, as "train" is.
    programs = {"fit": program, "train": program, "fit.v2": program}
    project = make_project(folder, lab["apollo"], debug={"programs": programs})
    project.write("train/__init__.py", "")
    project.write("train/models/__init__.py", "")
    project.write("tests/test_it.py", "def test_it():\n    value = 6\n    assert value == 7\n")

    session = Session(project, module="train.models.fit")
    debugger = session.attach(STOP)
    debugger.go_on(debugger.stopped())
    assert session.end()["status"] == 3

    session = Session(project, "-q", test="tests/test_it.py::test_it", places=True)
    session.file = str(project.root / "tests/test_it.py")
    debugger = session.attach(3)
    thread = debugger.stopped()
    assert debugger.variables(debugger.frames(thread)[0])["value"] == "6"
    debugger.go_on(thread)
    outcome = session.end()
    assert outcome["status"] == 1
    assert (outcome["places"][0]["name"], outcome["places"][0]["line"]) == (session.file, 3)

    session = Session(project, name="fit")
    debugger = session.attach(STOP)
    thread = debugger.stopped()
    asked = "__import__('os').environ['COLOUR'] + __import__('os').getcwd()"
    frame = debugger.frames(thread)[0]["id"]
    found = debugger.request("evaluate", expression=asked, frameId=frame)
    assert found["result"] == "'red/workspace/train'"
    debugger.go_on(thread)
    assert session.end()["status"] == 3

    for name in ("train", "fit.v2"):
        process = project.start("debug", name)
        assert process.stderr
        assert any("waiting for a debugger on 127.0.0.1:" in line for line in process.stderr)
        process.terminate()
        process.communicate()
    InContainer(project).wait_until_empty()

    refused = Session(project, name="fitt").end()
    assert refused["status"] == 2
    assert "did you mean 'fit'?" in refused["error"]


def test_the_chosen_ranks_of_several_hosts_are_debugged(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], lab["enterprise"])
    session = Session(project, ranks=[0, 1])
    events = sorted((session.debuggee(), session.debuggee(2)), key=lambda event: event["rank"])
    assert [event["host"] for event in events] == ["apollo", "enterprise"]
    assert [event["configuration"] for event in events] == [
        "igor: attach dev apollo", "igor: attach dev enterprise",
    ]  # fmt: skip
    assert events[1]["port"] == events[0]["port"] + 1
    debuggers = [session.attach(STOP, event=event) for event in events]
    for debugger in debuggers:
        debugger.go_on(debugger.stopped())
    assert [result["status"] for result in session.end()["results"]] == [3, 3]

    # Rank 0 alone; what runs beside it ends with it.
    session = Session(project, "wait")
    debugger = session.attach(STOP)
    debugger.stopped()
    session.said("second 5\n")
    assert {event["host"] for event in session.events("output") if b"second" in event["data"]} == {
        "enterprise"
    }
    debugger.request("disconnect")
    results = {result["host"]: result for result in session.end()["results"]}
    assert "debugger has left" in results["apollo"]["text"]
    assert results["enterprise"]["status"] != 0
    for host in project.hosts:
        InContainer(project, host).wait_until_empty()

    # The port goes with the rank, as in the file.
    session = Session(project, ranks=[1])
    assert session.debuggee()["port"] == events[1]["port"]
    session.leave()
    for host in project.hosts:
        InContainer(project, host).wait_until_empty()

    refused = Session(project, ranks=[2]).end()
    assert refused["status"] == 2
    assert "0 (apollo), 1 (enterprise)" in refused["error"]


def test_other_ranks_live_for_the_grace_time_of_a_lost_one(folder: Path, lab: Lab) -> None:
    project = make_project(folder, lab["apollo"], lab["enterprise"], debug={"grace": 3})
    session = Session(project, "wait")
    session.attach(STOP).stopped()
    session.said("second 5\n")
    lab["apollo"].kill_sshd()
    lab["apollo"].start_sshd()
    session.job.until(lambda _job: session.events("lost-debuggee"))
    lost, lines = time.monotonic(), session.job.output.count(b"second")
    session.job.until(lambda job: job.outcome or job.output.count(b"second") > lines + 5)
    assert session.job.outcome is None
    results = {result["host"]: result for result in session.end()["results"]}
    assert 2 < time.monotonic() - lost < 15
    assert "the program keeps running on the host for 3 s" in results["apollo"]["text"]
    assert results["enterprise"]["status"] != 0
    for host in project.hosts:
        InContainer(project, host).wait_until_empty()


def test_podman(folder: Path, podman_host: Host) -> None:
    project = make_project(folder, podman_host, runtime="podman", debug={"grace": 5})
    inside = InContainer(project, engine="podman")
    session = Session(project)
    debugger = session.attach(STOP)
    thread = debugger.stopped()
    assert program_runs(inside.processes())
    debugger.go_on(thread)
    assert session.end()["status"] == 3
    inside.wait_until_empty()
    Session(project, "wait").debuggee()
    kill_agent()
    inside.wait_until_empty(30)


def test_on_a_host_itself(folder: Path, plain_host: Host) -> None:
    library = f"{plain_host.home}/library"
    plain_host.run(["mkdir", "-p", library], check=True)
    packages = "./venv/tools/lib/python3.11/site-packages"
    subprocess.run(
        ["tar", "-C", str(plain_host.path(library)), "-xf", str(base_tarball()),
         "--strip-components=6", f"{packages}/debugpy"], check=True,
    )  # fmt: skip
    project = make_project(folder, plain_host, runtime="none")
    entry = {"host": plain_host.name, "dir": "~/dev", "env": {"PYTHONPATH": library}}
    project.configure(runtime="none", host_groups={"dev": {"hosts": [entry]}}, debug_port=20950)
    session = Session(project)
    event = session.debuggee()
    assert event["remote_root"] == f"{plain_host.home}/dev/{project.root.name}"
    assert any("open to all users" in each["text"] for each in session.events("warning"))
    debugger = session.attach(STOP)
    debugger.go_on(debugger.stopped())
    assert session.end()["status"] == 3
    done = plain_host.run(["pgrep", "-u", plain_host.user, "-af", "debugpy|debug_helper"])
    assert done.stdout == ""
