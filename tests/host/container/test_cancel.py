"""What a cancelled command leaves behind: nothing, in each runtime; and what igor says of it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.agent.protocol import Kind
from tests.lab import Host, Lab
from tests.support.agent_client import Seen, client
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

# A program that takes the named signals for nothing, with a child that has a group of its own.
STUBBORN = """\
import os, signal, subprocess, sys
deaf = [signal.Signals[name] for name in sys.argv[1:]]
for number in deaf:
    signal.signal(number, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "6161"], preexec_fn=os.setpgrp)
print("up", flush=True)
while True:
    signal.pause()
"""
LADDER = [((), "INT"), (("SIGINT",), "TERM"), (("SIGINT", "SIGTERM"), "KILL")]


@pytest.fixture(params=["docker", "podman", "none", "pythonless"])
def project(request: pytest.FixtureRequest, ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    """A project with one host, whose container, if it has any, runs."""
    runtime, host = request.param, lab["apollo"]
    if runtime == "podman":
        host = request.getfixturevalue("podman_host")
    elif runtime == "none":
        host = request.getfixturevalue("plain_host")
    elif runtime == "pythonless":
        host, runtime = request.getfixturevalue("pythonless_host"), "none"
    more = {"docker_run_args": ["--network=host"]} if runtime == "podman" else {}
    name = ssh_home / f"cancel-{time.time_ns() % 10**9}"
    project = make_project(name, [host], {"stubborn.py": STUBBORN}, runtime=runtime, **more)
    assert project.igor("docker", "setup").returncode == 0
    yield project
    if runtime != "none":
        project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def running(host: Host) -> list[str]:
    """Of what the tests start, all that runs on the host, in containers too."""
    listed = host.run(["ps", "-eo", "args"]).stdout.splitlines()
    return [line for line in listed if "6161" in line or "stubborn.py" in line]


def shell_program(deaf: tuple[str, ...]) -> dict[str, object]:
    """The same without Python."""
    names = " ".join(name.removeprefix("SIG") for name in deaf)
    trap = f"trap '' {names}; " if deaf else ""
    return {"shell": f"{trap}echo up; while :; do sleep 6161; done"}


def test_a_cancelled_command_ends_with_all_that_it_started_and_the_host_says_by_what(
    project: SampleProject,
) -> None:
    (host,) = project.hosts
    for deaf, signal_name in LADDER:
        if host.name == "pythonless":
            job = Seen(client(), "exec", project.root, **shell_program(deaf))
        else:
            job = Seen(client(), "run", project.root, file="stubborn.py", args=list(deaf))
        job.until(lambda seen: b"up" in seen.output or seen.outcome)
        assert job.outcome is None
        assert running(host)
        job.client.send(Kind.CANCEL, job.request)
        ended = job.end()
        assert (ended["status"], ended["error"]) == (130, "cancelled")
        (result,) = ended["results"]
        assert (result["status"], result["text"]) == (130, f"ended by {signal_name}")
        assert running(host) == []
    ctrl_c_says_so_too(project)


def ctrl_c_says_so_too(project: SampleProject) -> None:
    process = project.start("docker", "exec", "echo up; sleep 6161")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    _out, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cancelled" in said
    assert "ended by INT" in said, said
    assert running(project.hosts[0]) == []
