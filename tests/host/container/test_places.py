"""Places in the output of jobs: of real programs in real containers, as they reach a client."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.agent.protocol import Kind
from tests.lab import Host, Lab
from tests.support.places import DOCKERFILE, job, make_project, rows
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

MODEL = """\
import json


def forward(rank):
    try:
        json.loads("{")
    except ValueError as error:
        raise RuntimeError(f"rank {rank} has no weights") from error
"""
TRAIN = "import os\n\nfrom pkg.model import forward\n\nforward(os.getpid())\n"
TESTS = """\
from pkg.model import forward


def test_one():
    assert 1 + 1 == 3


def test_two():
    forward(0)
"""
WAITS = """\
import time
import traceback

try:
    open("/no/such/file")
except OSError:
    traceback.print_exc()
time.sleep(5151)
"""
FILES = {
    "pkg/__init__.py": "",
    "pkg/model.py": MODEL,
    "train.py": TRAIN,
    "waits.py": WAITS,
    "tests/test_a.py": TESTS,
}


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    hosts = [lab["apollo"], lab["enterprise"]]
    project = make_project(ssh_home / f"places-{time.time_ns() % 10**9}", hosts, FILES)
    yield project
    lab.heal()
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def test_a_chained_traceback_of_two_hosts_is_one_failure_and_comes_first(
    project: SampleProject,
) -> None:
    ended = job(project, "run", file="train.py", setup=True).end()
    assert ended["status"] == 1
    first = ended["places"][0]
    assert first["text"].startswith("RuntimeError: rank ")
    assert (first["count"], sorted(first["hosts"])) == (2, ["apollo", "enterprise"])
    found = rows(project, ended)
    own = [row for row in found if not row[0].startswith("igor://")]
    assert own == [("pkg/model.py", 8, "E"), ("train.py", 5, "N"), ("pkg/model.py", 6, "E")]
    libraries = [place for place in ended["places"] if place["library"]]
    assert [place for place in ended["places"] if not place["path"]] == libraries
    assert any(place["name"].endswith("/json/decoder.py") for place in libraries)
    assert ended["dropped"] == 0


def test_pytest_leads_to_the_assertions_and_json_on_the_command_line_has_them_too(
    project: SampleProject,
) -> None:
    done = project.igor(
        "--json", "docker", "exec", "--setup", "--host", "apollo", "python -m pytest -q"
    )
    ended = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, ended["status"]) == (1, 1), done.stdout
    own = [row for row in rows(project, ended) if not row[0].startswith("igor://")]
    assert own[0] == ("tests/test_a.py", 5, "E")
    assert {("tests/test_a.py", 9), ("pkg/model.py", 8)} <= {row[:2] for row in own}
    assert "1 failed" not in json.dumps(ended["places"])


def test_who_does_not_ask_for_places_gets_none(project: SampleProject) -> None:
    ended = job(project, "run", file="train.py", setup=True, hosts=["apollo"], places=False).end()
    assert (ended["status"], ended["places"], ended["dropped"]) == (1, [], 0)


@pytest.mark.parametrize("verb", ["build", "setup"])
def test_a_build_that_fails_leads_to_the_dockerfiles_line(
    project: SampleProject, verb: str
) -> None:
    project.write("dockerfile", f"{DOCKERFILE}\n# why not\nRUN echo fine\nRUN exit 3\n")
    ended = job(project, verb).end()
    assert ended["status"] == 1
    assert rows(project, ended)[0] == ("dockerfile", 6, "E")
    assert sorted(ended["places"][0]["hosts"]) == ["apollo", "enterprise"]
    assert all("build failed" in result["text"] for result in ended["results"])


def test_what_fails_in_a_build_with_podman_has_its_line_and_a_programs_error_there_its_frames(
    ssh_home: Path, podman_host: Host
) -> None:
    files = {"setup.py": "def build():\n    raise ValueError('no')\n\nbuild()\n"}
    name, more = ssh_home / f"places-{time.time_ns() % 10**9}", ["--network=host"]
    project = make_project(name, [podman_host], files, runtime="podman", docker_run_args=more)
    project.write("dockerfile", f"{DOCKERFILE}COPY setup.py /\n\nRUN python3 /setup.py\n")
    ended = job(project, "build").end()
    assert rows(project, ended) == [
        ("dockerfile", 5, "E"),
        ("igor://plain/setup.py", 2, "E"),
        ("igor://plain/setup.py", 4, "N"),
    ]
    assert "\x1b" not in ended["results"][0]["text"]
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def test_a_cancelled_job_tells_its_places_and_how_each_host_ended(project: SampleProject) -> None:
    running = job(project, "run", file="waits.py", setup=True)
    running.until(lambda seen: seen.output.count(b"FileNotFoundError: ") == 2)
    running.client.send(Kind.CANCEL, running.request)
    ended = running.end()
    assert (ended["status"], ended["error"]) == (130, "cancelled")
    # Its last words, at INT, were a KeyboardInterrupt.
    assert b"time.sleep(5151)" in running.output
    assert sorted(rows(project, ended)) == [("waits.py", 5, "E"), ("waits.py", 8, "E")]
    assert [result["text"] for result in ended["results"]] == ["ended by INT"] * 2
    for host in project.hosts:
        assert "5151" not in host.run(["ps", "-eo", "args"]).stdout
        assert "waits.py" not in host.run(["ps", "-eo", "args"]).stdout


def test_a_host_that_is_lost_leaves_the_places_that_it_told_of(project: SampleProject) -> None:
    running = job(project, "run", file="waits.py", setup=True)
    running.until(lambda seen: seen.output.count(b"FileNotFoundError: ") == 2)
    project.hosts[0].kill_sshd()
    running.until(lambda seen: any(event["type"] == "result" for event in seen.events))
    running.client.send(Kind.CANCEL, running.request)
    ended = running.end()
    assert ("waits.py", 5) in [row[:2] for row in rows(project, ended)]
    assert "lost" in ended["results"][0]["text"]
    assert (ended["results"][1]["host"], ended["results"][1]["text"]) == (
        "enterprise",
        "ended by INT",
    )
