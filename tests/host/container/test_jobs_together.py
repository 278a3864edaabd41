"""Several jobs at once on one project and host, and images that are what they say they are."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.sample_project import SampleProject, make_sample_project

pytestmark = pytest.mark.timeout(300)

SLOW = "FROM igor-base:latest\nCOPY requirements.txt /\nRUN sleep 2\n"


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    """On one host, with a build that takes two seconds."""
    name = f"together-{time.time_ns() % 10**9}"
    project = make_sample_project(ssh_home / name, [lab["apollo"]])
    project.write("dockerfile", SLOW)
    yield project
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


def test_two_setups_at_once_make_one_image_and_one_container(project: SampleProject) -> None:
    project.igor("push")
    jobs = [project.start("docker", "setup") for _editor in range(2)]
    said = [job.communicate(timeout=120)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], said
    told = "".join(said)
    assert told.count("waits until another job is done") == 1
    assert told.count("build: no image yet") == 1
    assert told.count("container dino-" + project.root.name + "-dev created") == 1


def test_setup_and_exec_with_setup_at_once_both_succeed(project: SampleProject) -> None:
    project.igor("push")
    setup = project.start("docker", "setup")
    ran = project.igor("docker", "exec", "--setup", "echo", "in it")
    assert (ran.returncode, ran.stdout) == (0, "in it\n"), ran.stderr
    _out, err = setup.communicate(timeout=120)
    assert setup.returncode == 0, err


def test_nothing_is_built_from_a_rebuild_file_that_differs_there(project: SampleProject) -> None:
    assert project.igor("docker", "setup").returncode == 0
    (project.on(project.hosts[0]) / "requirements.txt").write_text("theirs\n")
    project.write("requirements.txt", "ours\n")
    refused = project.igor("docker", "setup")
    assert refused.returncode == 1
    assert "nothing was built: requirements.txt on apollo differs" in refused.stderr
    assert project.igor("push", "--force").returncode == 0
    assert project.igor("docker", "setup").returncode == 0
    assert project.igor("docker", "exec", "cat", "/requirements.txt").stdout == "ours\n"
