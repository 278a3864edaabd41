"""What the path under a cursor in output means, by what igor knows without asking a host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import Seen, client
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

FILES = {"train.py": "", "pkg/model.py": "", "sub/a b.py": "", "caf\u00e9.py": ""}


@pytest.fixture
def project(home: Path, lab: Lab) -> Iterator[SampleProject]:
    """For hosts that nobody connects to."""
    hosts = [lab["apollo"], lab["enterprise"]]
    project = make_project(home / "p", hosts, FILES)
    yield project
    project.igor("agent", "stop")


def ask(project: SampleProject, line: str, column: int = 0, **more: Any) -> Any:
    job = Seen(client(), "locate", project.root, line=line, column=column, **more)
    ended = job.end()
    assert (ended["status"], ended["results"]) == (0, []), ended
    found = ended["data"]
    assert found is None or set(found) == {"name", "line", "column"}
    return found and (
        found["name"].removeprefix(f"{project.root}/"),
        found["line"],
        found["column"],
    )


def test_paths_of_the_container_the_host_and_the_project_are_local_files(
    project: SampleProject,
) -> None:
    there = f"{project.hosts[0].home}/dev/p"
    frame = '  File "/workspace/pkg/model.py", line 8, in forward'
    assert ask(project, frame) == ("pkg/model.py", 8, 0)
    assert ask(project, frame, len(frame)) is None
    assert ask(project, "train.py:3:7: error", 4) == ("train.py", 3, 7)
    assert ask(project, f"{there}/train.py:4") == ("train.py", 4, 0)
    assert ask(project, "\x1b[1m/workspace/caf\u00e9.py\x1b[0m:12: x") == ("caf\u00e9.py", 12, 0)
    assert ask(project, 'File "/workspace/sub/a b.py", line 2') == ("sub/a b.py", 2, 0)
    assert ask(project, "nothing here", 3) is None
    assert ask(project, "../../etc/passwd:1") is None
    assert ask(project, "") is None


def test_what_only_a_host_has_is_an_address_on_the_host_that_said_it(
    project: SampleProject,
) -> None:
    line = 'File "/usr/lib/python3.11/json/decoder.py", line 353'
    path = "/usr/lib/python3.11/json/decoder.py"
    assert ask(project, line) == (f"igor://apollo{path}", 353, 0)
    assert ask(project, line, host="enterprise") == (f"igor://enterprise{path}", 353, 0)
    assert ask(project, line, hosts=["enterprise"]) == (f"igor://enterprise{path}", 353, 0)
    assert ask(project, f"enterprise | {line}", 20, host="apollo") == (
        f"igor://enterprise{path}",
        353,
        0,
    )
    assert ask(project, line, host="unknown") == (f"igor://apollo{path}", 353, 0)


def test_a_file_that_has_just_come_is_found_and_one_that_git_ignores_is_the_hosts(
    project: SampleProject,
) -> None:
    assert ask(project, "new.py:1") is None
    project.write("new.py", "")
    assert ask(project, "new.py:1") == ("new.py", 1, 0)
    project.write(".gitignore", "out/\n")
    project.write("out/made.py", "")
    assert ask(project, "/workspace/out/made.py:1") == ("igor://apollo/workspace/out/made.py", 1, 0)


def test_nobody_is_connected_to(project: SampleProject) -> None:
    ask(project, "train.py:1")
    status = client().call("agent-status")
    assert {connection["state"] for connection in status["data"]["connections"]} == {
        "not connected"
    }


def test_what_is_no_question_is_refused(project: SampleProject) -> None:
    for arguments in ({}, {"line": "x"}, {"line": "x", "column": -1}, {"line": 3, "column": 0}):
        ended = Seen(client(), "locate", project.root, **arguments).end()
        assert ended["status"] == 2
    ended = Seen(client(), "locate", project.root, line="x", column=0, group="nope").end()
    assert "no host group 'nope'" in ended["error"]


def test_without_containers_a_folder_behind_a_link_is_the_same_folder(
    ssh_home: Path, plain_host: Host
) -> None:
    project = make_project(ssh_home / "linked", [plain_host], FILES, runtime="none")
    plain_host.run(["sh", "-c", "mkdir -p ~/real && ln -sfn ~/real ~/dev-link"], check=True)
    config = (project.root / ".igor/config.json").read_text()
    project.write(".igor/config.json", config.replace('/dev"', '/dev-link"'))
    assert project.igor("push").returncode == 0
    line = f"{plain_host.home}/real/linked/train.py:3"
    assert ask(project, line) == ("train.py", 3, 0)
    project.write(
        "fails.py", "import os\nos.chdir('/')\nraise ValueError(os.path.realpath(__file__))\n"
    )
    program = f"{plain_host.home}/real/linked/fails.py"
    for _warm in range(2):
        ended = Seen(client(), "exec", project.root, argv=["python3", program], places=True).end()
        assert ended["places"][0]["path"] == str(project.root / "fails.py")
    project.igor("agent", "stop")
