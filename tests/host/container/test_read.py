"""Files that only hosts have, as `igor://host/path` names them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab
from tests.support.agent_client import Seen, client
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

# Shell code, if anything of a name became any.
ODD = "a b;$(touch pwned)'\"\n*\udcff\\"
MAKE = """\
import os, sys
odd = b"a b;$(touch pwned)'\\"\\n*\\xff\\\\"
os.makedirs(b"/tmp/x/folder")
open(b"/tmp/x/" + odd, "wb").write(b"odd\\0\\xff\\r\\n")
open("/tmp/x/empty", "w").close()
open("/tmp/x/-n", "w").write("dash")
open("/tmp/x/large", "wb").write(b"x" * ((4 << 20) + 1))
open("/tmp/x/most", "wb").write(b"y" * (4 << 20))
open("/tmp/x/closed", "w").close()
os.chmod("/tmp/x/closed", 0)
os.symlink("most", "/tmp/x/link")
os.symlink("nowhere", "/tmp/x/dangling")
os.mkfifo("/tmp/x/fifo")
open("out.txt", "w").write("made there")
"""


def ask(project: SampleProject, name: str, **more: Any) -> dict[str, Any]:
    return Seen(client(), "read", project.root, name=name, **more).end()


def content(project: SampleProject, name: str) -> bytes:
    ended = ask(project, name)
    assert ended["status"] == 0, ended
    assert ended["data"]["size"] == len(ended["data"]["content"])
    found: bytes = ended["data"]["content"]
    return found


def refused(project: SampleProject, name: str, **more: Any) -> tuple[int, str]:
    ended = ask(project, name, **more)
    assert ended["data"] is None
    assert "\n" not in ended["error"]
    return ended["status"], ended["error"]


@pytest.fixture(params=["docker", "podman", "none", "pythonless"])
def project(request: pytest.FixtureRequest, ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    """A project on one host, with the files of MAKE where its programs run."""
    runtime, host = request.param, lab["apollo"]
    if runtime == "podman":
        host = request.getfixturevalue("podman_host")
    elif runtime == "none":
        host = request.getfixturevalue("plain_host")
    elif runtime == "pythonless":
        host, runtime = request.getfixturevalue("pythonless_host"), "none"
    more = {"docker_run_args": ["--network=host"]} if runtime == "podman" else {}
    name = ssh_home / f"read-{time.time_ns() % 10**9}"
    project = make_project(name, [host], {"make.py": MAKE}, runtime=runtime, **more)
    assert project.igor("docker", "setup").returncode == 0
    if request.param != "pythonless":
        done = project.igor("run", "make.py")
        assert done.returncode == 0, done.stderr
    yield project
    if runtime == "none":
        host.run(["rm", "-rf", "/tmp/x"])
    else:
        project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def where(project: SampleProject) -> str:
    config = json.loads((project.root / ".igor/config.json").read_text())
    name = project.hosts[0].name
    return f"on {name}" if config["runtime"] == "none" else f"in the container on {name}"


def test_a_file_comes_as_it_is_and_what_is_none_is_one_sentence(project: SampleProject) -> None:
    host = project.hosts[0].name
    address = f"igor://{host}/tmp/x/"
    if host == "pythonless":
        assert content(project, f"igor://{host}/etc/hostname").strip()
        assert refused(project, f"igor://{host}/nowhere") == (
            1,
            "/nowhere on pythonless is not there",
        )
        return
    assert content(project, address + ODD) == b"odd\0\xff\r\n"
    assert content(project, address + "empty") == b""
    assert content(project, address + "-n") == b"dash"
    assert content(project, address + "link") == content(project, address + "most")
    assert content(project, address + "folder/../-n") == b"dash"
    there = f"/tmp/x/{{}} {where(project)}"
    said = {
        "folder": "is a folder", "dangling": "is a link to nothing", "fifo": "is no regular file",
        "large": "is larger than 4 MB", "closed": "may not be read", "nothing": "is not there",
    }  # fmt: skip
    for name, sentence in said.items():
        assert refused(project, address + name) == (1, f"{there.format(name)} {sentence}")
    assert refused(project, f"igor://{host}/")[1].endswith("is a folder")
    # What a program made in the project, by either of its folders.
    tree = f"{project.hosts[0].home}/dev/{project.root.name}"
    assert content(project, f"igor://{host}{tree}/out.txt") == b"made there"
    left = project.igor("docker", "exec", "--no-push", "ls", "-a").stdout.split()
    assert "pwned" not in left


def test_only_hosts_of_the_project_are_asked(home: Path, lab: Lab) -> None:
    project = make_project(home / "p", [lab["apollo"]], {})
    for name in ("igor://enterprise/etc/hosts", "igor://apollox/etc/hosts", "igor://-oX/etc/hosts"):
        status, error = refused(project, name)
        assert (status, "is no host of this project" in error) == (2, True), error
    for name in ("/etc/hosts", "igor://apollo", "igor://", "", "igor://apollo/a\0b", "file:///x"):
        status, error = refused(project, name)
        assert (status, "is not the address of a file" in error) == (2, True), error
    assert refused(project, "igor://apollo/etc/hosts", group="nope")[0] == 2
    project.igor("agent", "stop")


def test_without_a_container_or_with_the_host_away_that_is_said(ssh_home: Path, lab: Lab) -> None:
    apollo = lab["apollo"]
    project = make_project(ssh_home / f"read-{time.time_ns() % 10**9}", [apollo], {})
    status, error = refused(project, "igor://apollo/etc/hosts")
    assert status == 1
    assert error.startswith("no container of this project runs on apollo")
    assert project.igor("docker", "setup").returncode == 0
    assert content(project, "igor://apollo/etc/hostname")
    apollo.stop_docker()
    assert "docker is not running on the host" in refused(project, "igor://apollo/etc/hosts")[1]
    apollo.start_docker()
    apollo.kill_sshd()
    begun = time.monotonic()
    status, error = refused(project, "igor://apollo/etc/hosts")
    assert (status, "apollo" in error) == (1, True)
    assert time.monotonic() - begun < 30
    apollo.start_sshd()
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def test_a_host_in_several_groups_is_asked_for_the_container_that_runs(
    ssh_home: Path, lab: Lab
) -> None:
    apollo = lab["apollo"]
    project = make_project(ssh_home / f"read-{time.time_ns() % 10**9}", [apollo], {})
    config = json.loads((project.root / ".igor/config.json").read_text())
    config["host_groups"]["other"] = {
        "hosts": [{"host": "apollo", "dir": f"{apollo.home}/other", "env": {"A": "1"}}]
    }
    project.write(".igor/config.json", json.dumps(config))
    assert project.igor("docker", "setup", "-g", "other").returncode == 0
    assert content(project, "igor://apollo/etc/hostname")
    assert refused(project, "igor://apollo/etc/hostname", group="dev")[0] == 1
    project.igor("docker", "clean", "-g", "other", "--images")
    project.igor("agent", "stop")
