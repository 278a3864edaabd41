"""igor stack on real hosts: hanging programs in real containers are read, and run on."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import Seen, client, wait_until
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(120)

#: Hangs in each way there is: on a lock in a thread, asleep, and in C code that holds the GIL.
PROGRAM = """\
import os
import re
import signal
import sys
import threading
import time

seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append("USR1"))
lock = threading.Lock()


def wait_for(lock):
    with lock:
        pass


def in_c():
    re.match("(a+)+$", "a" * 60 + "b")


def asleep():
    while not os.path.exists("/tmp/go-on"):
        time.sleep(0.1)


lock.acquire()
threading.Thread(target=wait_for, args=[lock], name="second", daemon=True).start()
print("ready", os.environ.get("RANK"), flush=True)
{"c": in_c, "sleep": asleep}[sys.argv[1]]()
print("seen", seen, flush=True)
"""
FILE = "jobs/deep/hang.py"
TOOLS = "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools\n"
BARE = "FROM igor-base:latest\n"
_numbers = itertools.count(1)


class Hanging(SampleProject):
    """A project with a hanging program, and its runs."""

    running: list["subprocess.Popen[str]"]

    @classmethod
    def make(cls, folder: Path, *hosts: Host, dockerfile: str = TOOLS, **config: Any) -> "Hanging":
        project = cls(folder / f"hanging{next(_numbers)}", hosts)
        project.write("dockerfile", dockerfile)
        project.write(FILE, PROGRAM)
        project.configure(docker_rebuild_files=[], **config)
        object.__setattr__(project, "running", [])
        return project

    def hang(self, *words: str) -> None:
        """Start the program, and wait until it hangs on each host."""
        running = self.start(*words)
        self.running.append(running)
        assert running.stdout is not None
        for _host in range(len(self.hosts) if "--host" not in words else 1):
            assert "ready" in running.stdout.readline(), running.communicate(timeout=5)

    def stack(self, **args: Any) -> Seen:
        job = Seen(client(), "stack", self.root, **args)
        job.end()
        return job


@pytest.fixture
def ended() -> Iterator[list[Hanging]]:
    projects: list[Hanging] = []
    yield projects
    for project in projects:
        for running in project.running:
            running.kill()
            running.communicate()


def functions(process: dict[str, Any]) -> dict[str, list[str]]:
    return {
        thread["name"]: [frame["function"] for frame in thread["frames"]]
        for thread in process["threads"]
    }


def warnings(job: Seen) -> list[str]:
    return [f"{e['text']} ({e['hint']})" for e in job.events if e["type"] == "warning"]


def test_ranks_of_two_hosts_by_py_spy_the_same_stack_once(
    ssh_home: Path, lab: Lab, ended: list[Hanging]
) -> None:
    project = Hanging.make(ssh_home, lab["apollo"], lab["enterprise"])
    ended.append(project)
    assert project.igor("docker", "setup").returncode == 0
    for rank in ("0", "1"):
        project.hang(
            "docker", "exec", "env", f"RANK={rank}", "/venv/tools/bin/python", FILE, "sleep"
        )
    job = project.stack()
    outcome = job.end()
    assert (outcome["status"], outcome["error"]) == (0, "")
    hosts = {host["host"]: host["processes"] for host in outcome["data"]["hosts"]}
    assert {name: [each["rank"] for each in found] for name, found in hosts.items()} == {
        "apollo": ["0", "1"],
        "enterprise": ["0", "1"],
    }
    assert {each["by"] for found in hosts.values() for each in found} == {"py-spy"}
    frames = hosts["apollo"][0]["threads"]
    assert functions(hosts["apollo"][0])["second"][0] == "wait_for"
    opened = {frame["name"] for thread in frames for frame in thread["frames"]}
    assert str(project.root / FILE) in opened
    first = outcome["places"][0]
    assert (first["name"], first["library"], first["count"]) == (str(project.root / FILE), False, 4)
    assert re.fullmatch("(waits|runs) in asleep", first["text"])
    assert (first["hosts"], first["ranks"]) == (["apollo", "enterprise"], ["rank 0", "rank 1"])
    second = next(place for place in outcome["places"] if "thread second" in place["text"])
    assert (second["line"], second["count"]) == (14, 4)
    text = job.output.decode()
    assert "(rank 1): /venv/tools/bin/python jobs/deep/hang.py sleep" in text
    assert "    asleep (jobs/deep/hang.py:" in text
    assert calls(text) == calls(printed(project, "stack"))
    # It goes on, and has heard of nothing.
    for host in project.hosts:
        host.docker("exec", f"dino-{project.root.name}-dev", "touch", "/tmp/go-on")
    for running in project.running:
        output, _ = running.communicate(timeout=15)
        assert output.count("seen []") == 2
        assert running.returncode == 0


def test_podman(ssh_home: Path, podman_host: Host, ended: list[Hanging]) -> None:
    project = Hanging.make(ssh_home, podman_host, runtime="podman")
    ended.append(project)
    assert project.igor("docker", "setup").returncode == 0
    project.hang("docker", "exec", "/venv/tools/bin/python", FILE, "sleep")
    outcome = project.stack().end()
    (process,) = outcome["data"]["hosts"][0]["processes"]
    assert (outcome["status"], process["by"]) == (0, "py-spy")
    assert functions(process)["MainThread"][0] == "asleep"


def calls(text: str) -> list[str]:
    """The lines of both hosts in any order; a loop may be active at the moment."""
    return sorted(re.sub(r"(active|idle)|Thread.*", "", line) for line in text.splitlines())


def printed(project: Hanging, *words: str) -> str:
    """igor's output without the names of hosts before lines."""
    lines = project.igor(*words).stdout.splitlines(keepends=True)
    return "".join(line.partition(" | ")[2] for line in lines)


def test_programs_of_igor_run_write_their_stacks_and_others_are_named(
    ssh_home: Path, lab: Lab, ended: list[Hanging]
) -> None:
    project = Hanging.make(ssh_home, lab["apollo"], dockerfile=BARE)
    ended.append(project)
    assert project.igor("docker", "setup").returncode == 0
    project.hang("run", FILE, "c")
    project.hang("run", FILE, "sleep")
    project.hang("docker", "exec", "python3", FILE, "sleep")
    project.hang("docker", "exec", "python3", FILE, "sleep")
    job = project.stack()
    outcome = job.end()
    in_c, asleep, *others = outcome["data"]["hosts"][0]["processes"]
    assert (in_c["by"], asleep["by"]) == ("faulthandler", "faulthandler")
    # The innermost frames are those of `re`; C code that holds the GIL is no obstacle.
    assert functions(in_c)["MainThread"][-2:] == ["in_c", "<module>"]
    assert functions(asleep)["MainThread"][0] == "asleep"
    assert outcome["status"] == 1
    assert outcome["results"][0]["text"] == "4 processes, 4 threads, 2 not read"
    (warning,) = warnings(job)
    pids = ", ".join(str(each["pid"]) for each in others)
    assert warning.startswith(f"processes {pids} can't be read: py-spy is not installed")
    assert "igor docker exec pip install py-spy" in warning
    one = project.stack(pid=in_c["pid"]).end()
    assert (one["status"], len(one["data"]["hosts"][0]["processes"])) == (0, 1)
    host = project.hosts[0]
    host.docker("exec", f"dino-{project.root.name}-dev", "touch", "/tmp/go-on")
    for running in project.running[1:]:
        output, _ = running.communicate(timeout=15)
        assert output.endswith("seen []\n")
    assert project.igor("stack").stdout.count("Process ") == 1


def test_container_root_reads_another_users_process_if_the_config_allows(
    ssh_home: Path, lab: Lab, ended: list[Hanging]
) -> None:
    project = Hanging.make(ssh_home, lab["apollo"])
    ended.append(project)
    host, name = project.hosts[0], f"dino-{project.root.name}-dev"
    none = project.stack().end()
    assert none["results"][0]["text"] == "no container of this project runs on apollo"
    assert none["results"][0]["hint"] == "igor docker setup"

    def start_as_root() -> None:
        assert project.igor("docker", "setup", "--force").returncode == 0
        assert project.stack().end()["results"][0]["text"].startswith("no Python process")
        sleeping = ["/venv/tools/bin/python", "-c", "import time; time.sleep(600)"]
        host.docker("exec", "--detach", "--user", "0", name, *sleeping)
        wait_until(lambda: project.stack().end()["data"]["hosts"][0]["processes"])

    start_as_root()
    job = project.stack()
    assert job.end()["status"] == 1
    (warning,) = warnings(job)
    assert "can't be read: owned by another user" in warning
    assert '"docker_run_args": ["--cap-add=SYS_PTRACE"]' in warning
    project.configure(docker_rebuild_files=[], docker_run_args=["--cap-add=SYS_PTRACE"])
    start_as_root()
    outcome = project.stack().end()
    assert outcome["status"] == 0, outcome
    assert outcome["data"]["hosts"][0]["processes"][0]["by"] == "py-spy"


def test_without_containers_only_the_projects_processes_are_read(
    ssh_home: Path, plain_host: Host, ended: list[Hanging]
) -> None:
    project = Hanging.make(ssh_home, plain_host, runtime="none")
    ended.append(project)
    project.hang("run", FILE, "sleep")
    stranger = ["sh", "-c", "python3 -c 'import time; time.sleep(60)' >/dev/null 2>&1 &"]
    plain_host.run(stranger, check=True)
    outcome = project.stack().end()
    (found,) = outcome["data"]["hosts"][0]["processes"]
    assert (found["by"], functions(found)["MainThread"][0]) == ("faulthandler", "asleep")
    assert outcome["places"][0]["name"] == str(project.root / FILE)
