"""A program on a real host, in a real container, under real debugpy."""

from pathlib import Path
from typing import Any

import pytest

from tests.agent_client import Seen, client
from tests.dap_client import Debugger
from tests.lab import Lab
from tests.sample_project import SampleProject

DOCKERFILE = "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools\n"
PROGRAM = """\
import sys
from pathlib import Path

answer = 41
answer += 1
print("the answer is", answer, flush=True)
text = Path("dockerfile").read_text()
sys.exit(3)
"""


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> SampleProject:
    project = SampleProject(ssh_home / "debugged", [lab["apollo"]])
    project.write("dockerfile", DOCKERFILE)
    project.write("train/models/fit.py", PROGRAM)
    project.configure(docker_rebuild_files=[])
    return project


def events(seen: Seen, kind: str) -> list[dict[str, Any]]:
    return [event for event in seen.events if event["type"] == kind]


def test_a_breakpoint_two_folders_deep_is_hit(project: SampleProject) -> None:
    file = str(project.root / "train/models/fit.py")
    seen = Seen(client(), "debug", project.root, program=file)
    seen.until(lambda seen: seen.outcome or events(seen, "debuggee"))
    assert not seen.outcome, seen.outcome
    event = events(seen, "debuggee")[0]
    with Debugger(event["port"]).attach(project.root, event["remote_root"], {file: [6]}) as it:
        thread = it.stopped()
        top = it.frames(thread)[0]
        assert (top["source"]["path"], top["line"]) == (file, 6)
        assert it.variables(top)["answer"] == "42"
        it.go_on(thread)
        it.wait_for("terminated")
        outcome = seen.end()
        it.wait_for_end()
    assert outcome["status"] == 3
    assert outcome["results"][0]["text"] == "exit status 3"
    assert seen.output.endswith(b"the answer is 42\n")
