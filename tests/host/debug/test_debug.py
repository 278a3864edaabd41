"""A program on a real host, in a real container, under real debugpy."""

from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.debugged import FILE, STOP, InContainer, Session, make_project
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.usefixtures("ssh_home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all tests of the file: its image and container take longest to make."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture
def project(folder: Path, lab: Lab) -> SampleProject:
    return make_project(folder, lab["apollo"])


def test_a_breakpoint_two_folders_deep_and_back_again_without_leftovers(
    project: SampleProject,
) -> None:
    inside = InContainer(project)
    for _time in range(5):
        session = Session(project, places=True)
        with session.attach(STOP) as debugger:
            thread = debugger.stopped()
            top = debugger.frames(thread)[0]
            assert (top["source"]["path"], top["line"]) == (session.file, STOP)
            assert debugger.variables(top)["answer"] == "41"
            debugger.go_on(thread)
            debugger.wait_for("terminated")
            # Vimspector stays: it is igor that closes.
            outcome = session.end()
            debugger.wait_for_end()
        assert outcome["status"] == 3
        assert outcome["results"][0]["text"] == "exit status 3"
        assert session.job.output.endswith(b"the answer is 42\n")
        event = session.debuggee_seen()
        assert event["configuration"] == "igor: attach dev"
        assert (event["local_root"], event["remote_root"]) == (str(project.root), "/workspace")
        assert event["python"] == "/venv/tools/bin/python"
        assert inside.is_empty()


def test_library_source_is_sent_by_reference(project: SampleProject) -> None:
    project.write(FILE, "import json\n\nvalue = [1]\ntext = json.dumps(value)\n")
    session = Session(project)
    with session.attach(4) as debugger:
        thread = debugger.stopped()
        debugger.request("stepIn", threadId=thread)
        top = debugger.frames(debugger.stopped())[0]
        assert top["source"]["path"].endswith("/json/__init__.py")
        reference = top["source"]["sourceReference"]
        source = debugger.request("source", sourceReference=reference)["content"]
        assert "def dumps(" in source
        debugger.go_on(thread)
        assert session.end()["status"] == 0
