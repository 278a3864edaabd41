"""The main job end to end: the command line, the agent, two real hosts with sshd and dockerd."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from igor_core import directories
from igor_core.agent.client import Client, connect
from tests.lab import Host, Lab
from tests.support.sample_project import SampleProject, make_sample_project

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    hosts = [lab["apollo"], lab["enterprise"]]
    name = f"job-{time.time_ns() % 10**9}"
    project = make_sample_project(ssh_home / name, hosts)
    yield project
    lab.heal()
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def ids(project: SampleProject) -> list[tuple[str, str]]:
    """The container and the image of the project on each host."""
    name = f"dino-{project.root.name}"
    return [
        (
            host.docker("container", "inspect", "-f", "{{.Id}}", f"{name}-dev").stdout,
            host.docker("image", "inspect", "-f", "{{.Id}}", name).stdout,
        )
        for host in project.hosts
    ]


def test_setup_builds_once_and_again_only_when_the_requirements_change(
    project: SampleProject,
) -> None:
    cold = project.igor("docker", "setup")
    assert cold.returncode == 0, cold.stderr
    assert cold.stderr.count("no image yet") == 2
    for host in project.hosts:
        assert (project.on(host) / "igor_core/errors.py").read_bytes() == (
            project.root / "igor_core/errors.py"
        ).read_bytes()
    first = ids(project)
    warm = project.igor("docker", "setup")
    assert warm.returncode == 0, warm.stderr
    assert warm.stderr.count("image up to date") >= 2
    assert ids(project) == first
    project.write("requirements.txt", "numpy\nscipy\n")
    changed = project.igor("docker", "setup")
    assert changed.returncode == 0, changed.stderr
    assert changed.stderr.count("rebuild: requirements.txt changed") == 2
    for old, new in zip(first, ids(project), strict=True):
        assert old[0] != new[0]
        assert old[1] != new[1]


def test_the_code_in_the_container_is_the_code_here(project: SampleProject) -> None:
    assert project.igor("docker", "setup").returncode == 0
    project.write("train.py", "print('first')\n")
    assert sorted(project.igor("docker", "exec", "python3", "train.py").stdout.splitlines()) == [
        "apollo | first",
        "enterprise | first",
    ]
    project.write("train.py", "print('secnd')\n")
    again = project.igor("docker", "exec", "--host", "apollo", "python3", "train.py")
    assert again.stdout == "secnd\n"


def test_files_made_in_the_container_belong_to_the_login_user(project: SampleProject) -> None:
    assert project.igor("docker", "setup").returncode == 0
    assert project.igor("docker", "exec", "touch made; touch ~/writable-home").returncode == 0
    for host in project.hosts:
        assert (project.on(host) / "made").stat().st_uid == host.uid


def test_nothing_to_do_costs_at_most_three_round_trips_more_than_the_push(
    project: SampleProject,
) -> None:
    for host in project.hosts:
        host.delay(0)
    assert project.igor("docker", "setup").returncode == 0
    with_agent = connect("test", answers=False)
    seconds = {(verb, rtt): 0.0 for rtt in (0, 20, 80) for verb in ("push", "setup")}
    for verb, rtt in seconds:
        for host in project.hosts:
            host.delay(rtt)
        seconds[verb, rtt] = median_seconds(with_agent, verb, project)
    print({f"{verb} at {rtt} ms": f"{took:.3f} s" for (verb, rtt), took in seconds.items()})
    trips = {verb: (seconds[verb, 80] - seconds[verb, 20]) / 0.060 for verb in ("push", "setup")}
    print({verb: f"{count:.1f} round trips" for verb, count in trips.items()})
    assert trips["setup"] - trips["push"] < 3.5
    with_agent.close()


def median_seconds(agent: Client, verb: str, project: SampleProject) -> float:
    taken = []
    for _repeat in range(5):
        started = time.monotonic()
        outcome = agent.call(verb, str(project.root))
        taken.append(time.monotonic() - started)
        assert outcome["status"] == 0, outcome
    return statistics.median(taken)


def test_a_cut_cable_hurts_one_host_only_and_the_next_push_heals_it(
    project: SampleProject,
) -> None:
    apollo, enterprise = project.hosts
    assert project.igor("push").returncode == 0
    enterprise.cut()
    project.write("train.py", "print('while it was away')\n")
    cut = project.igor("docker", "setup")
    assert cut.returncode == 1
    assert (project.on(apollo) / "train.py").exists()
    said = [line for line in cut.stderr.splitlines() if line.startswith("enterprise")]
    assert "lost" in said[-1] or "does not answer" in said[-1], cut.stderr
    assert "Traceback" not in cut.stderr
    enterprise.mend()
    healed = project.igor("push")
    assert healed.returncode == 0, healed.stderr
    assert (project.on(enterprise) / "train.py").exists()


def sleepers(host: Host, mark: str) -> list[str]:
    """The processes on a host, those in containers too, whose command line has the mark."""
    listed = host.run(["ps", "-eo", "pid,args"]).stdout.splitlines()
    return [line for line in listed if mark in line and "ps -eo" not in line]


def wait_until(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_cancelling_exec_ends_the_program_inside_the_container(project: SampleProject) -> None:
    assert project.igor("docker", "setup").returncode == 0
    apollo = project.hosts[0]
    running = project.start("docker", "exec", "--host", "apollo", "echo up; sleep 4711")
    wait_until(lambda: any("sleep 4711" in line for line in sleepers(apollo, "sleep 4711")))
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert sleepers(apollo, "sleep 4711") == []


TOLD = {
    "agent": "the agent has gone away",
    "sshd": "the connection to apollo was lost while the command ran",
    "dockerd": "docker is not running on the host",
}


@pytest.mark.parametrize("victim", TOLD)
def test_whatever_is_killed_during_exec_nothing_runs_on_and_the_next_command_works(
    project: SampleProject, victim: str
) -> None:
    assert project.igor("docker", "setup").returncode == 0
    apollo = project.hosts[0]
    running = project.start("docker", "exec", "--host", "apollo", "sleep 4712")
    wait_until(lambda: sleepers(apollo, "sleep 4712"))
    kill(victim, apollo)
    _out, err = running.communicate(timeout=60)
    assert running.returncode not in (0, None)
    assert "Traceback" not in err
    assert TOLD[victim] in err
    mend(victim, apollo)
    wait_until(lambda: sleepers(apollo, "sleep 4712") == [], 60)
    after = project.igor("docker", "exec", "--setup", "--host", "apollo", "echo", "alive")
    assert (after.returncode, after.stdout) == (0, "alive\n"), after.stderr


@pytest.mark.parametrize("victim", TOLD)
def test_whatever_is_killed_during_a_build_the_old_image_stays_and_the_next_build_works(
    project: SampleProject, victim: str
) -> None:
    assert project.igor("docker", "setup").returncode == 0
    before = ids(project)
    apollo = project.hosts[0]
    project.write("dockerfile", "FROM igor-base:latest\nRUN sleep 4.713\n")
    running = project.start("docker", "build", "--host", "apollo")
    wait_until(lambda: sleepers(apollo, "sleep 4.713"))
    kill(victim, apollo)
    _out, err = running.communicate(timeout=60)
    assert running.returncode not in (0, None)
    assert "Traceback" not in err
    assert err.strip()
    mend(victim, apollo)
    assert ids(project)[0][1] == before[0][1]
    project.write("dockerfile", "FROM igor-base:latest\nRUN true\n")
    after = project.igor("docker", "setup", "--host", "apollo")
    assert after.returncode == 0, after.stderr


def kill(victim: str, host: Host) -> None:
    if victim == "agent":
        os.kill(int(directories.pid_path().read_text()), signal.SIGKILL)
    elif victim == "sshd":
        host.kill_sshd()
    else:
        host.kill_docker()


def mend(victim: str, host: Host) -> None:
    if victim == "sshd":
        host.start_sshd()
    elif victim == "dockerd":
        host.start_docker()


HOSTILE = {
    "a host that is an option": '"host": "-oProxyCommand=touch MARK", "dir": "/data"',
    "a host with blanks": '"host": "apollo; touch MARK", "dir": "/data"',
    "a host with a command": '"host": "$(touch MARK)", "dir": "/data"',
    "a folder with a line break": '"host": "apollo", "dir": "/data\\ntouch MARK"',
    "a folder that is relative": '"host": "apollo", "dir": "data; touch MARK"',
    "a user that is an option": '"host": "apollo", "dir": "/data", "user": "-lroot"',
    "a user with a command": '"host": "apollo", "dir": "/data", "user": "`touch MARK`"',
    "a port that is none": '"host": "apollo", "dir": "/data", "port": "22; touch MARK"',
    "a variable's name": '"host": "apollo", "dir": "/data", "env": {"A;touch MARK": "1"}',
    "an unknown key": '"host": "apollo", "dir": "/data", "prot": 22',
}


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE)
def test_a_bad_config_is_answered_in_one_sentence_and_runs_nothing(
    project: SampleProject, entry: str
) -> None:
    mark = project.root / "mark"
    text = '{"host_groups": {"dev": {"hosts": [{ENTRY}]}}}'.replace("ENTRY", entry)
    project.write(".igor/config.json", text.replace("MARK", str(mark)))
    done = project.igor("push")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert ".igor/config.json:1: host_groups.dev.hosts[0]" in done.stderr
    assert not mark.exists()
    for host in project.hosts:
        assert not Path(host.path(str(mark))).exists()


FOLDERS = ["a b", "it's", 'say "hi"', "$(touch MARK)", "a;touch MARK", "`touch MARK`", "-rf"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_any_name_on_the_host_is_just_a_folder(
    project: SampleProject, folder: str
) -> None:
    apollo = project.hosts[0]
    mark = f"{apollo.home}/mark"
    named = f"{apollo.home}/{folder.replace('MARK', mark.replace('/', '_'))}"
    hosts = [{"host": "apollo", "dir": named}]
    project.configure(host_groups={"dev": {"hosts": hosts}})
    done = project.igor("docker", "setup")
    assert done.returncode == 0, done.stderr
    ran = project.igor("docker", "exec", "ls igor_core/errors.py")
    assert ran.stdout == "igor_core/errors.py\n", ran.stderr
    assert Path(apollo.path(f"{named}/{project.root.name}/igor_core/errors.py")).exists()
    assert not Path(apollo.path(mark)).exists()
