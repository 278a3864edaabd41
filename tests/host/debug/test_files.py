"""igor debug keeps the files that editors read, and igor vimspector writes them."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

from igor_core.cli.debug import ways_in
from tests.lab import Lab
from tests.support.debugged import STOP, Session, make_project
from tests.support.sample_project import SampleProject
from tests.support.vimspector_rules import mistakes

VIMSPECTOR, LAUNCH = ".vimspector.json", ".vscode/launch.json"


def ports(project: SampleProject) -> list[int]:
    """The ports to which Vimspector and VS Code would attach."""
    vimspector = json.loads((project.root / VIMSPECTOR).read_text())
    launch = json.loads((project.root / LAUNCH).read_text())
    assert mistakes(vimspector) == []
    return [
        vimspector["adapters"]["igor-attach-dev"]["port"],
        launch["configurations"][0]["connect"]["port"],
    ]


def to_its_end(session: Session) -> None:
    debugger = session.attach(STOP)
    debugger.go_on(debugger.stopped())
    assert session.end()["status"] == 3


def test_existing_files_follow_the_port_and_no_others_are_made(ssh_home: Path, lab: Lab) -> None:
    project = make_project(ssh_home, lab["apollo"])
    wanted: int = json.loads((project.root / ".igor/config.json").read_text())["debug_port"]
    to_its_end(Session(project))
    assert not (project.root / VIMSPECTOR).exists()
    assert not (project.root / LAUNCH).exists()
    assert project.igor("vimspector").returncode == project.igor("vscode").returncode == 0
    assert ports(project) == [wanted, wanted]
    with socket.create_server(("127.0.0.1", wanted)):
        session = Session(project)
        got = session.debuggee()["port"]
        assert got != wanted
        assert ports(project) == [got, got]
        shown = project.igor("vimspector", "--print").stdout
        assert json.loads(shown)["adapters"]["igor-attach-dev"]["port"] == got
        to_its_end(session)
    before = (project.root / VIMSPECTOR).stat().st_ino
    to_its_end(Session(project))
    assert ports(project) == [wanted, wanted]
    assert (project.root / VIMSPECTOR).stat().st_ino != before


def test_vimspectors_file_is_made_on_request(ssh_home: Path, lab: Lab) -> None:
    project = make_project(ssh_home, lab["apollo"])
    session = Session(project, vimspector=True)
    event = session.debuggee()
    content: dict[str, Any] = json.loads((project.root / VIMSPECTOR).read_text())
    assert event["configuration"] in content["configurations"]
    assert content["adapters"]["igor-attach-dev"]["port"] == event["port"]
    to_its_end(session)


def test_the_command_line_prints_or_writes_and_says_what_it_did(home: Path) -> None:
    project = SampleProject(home / "project", [])
    hosts = [{"host": "apollo", "dir": "~/dev"}, {"host": "enterprise", "dir": "/data"}]
    project.configure(host_groups={"cluster": {"hosts": hosts}})
    for command, name in (("vimspector", VIMSPECTOR), ("vscode", LAUNCH)):
        printed = project.igor(command, "--print")
        assert (printed.returncode, printed.stderr) == (0, "")
        assert not (project.root / name).exists()
        written = project.igor(command)
        assert (written.returncode, written.stderr) == (0, f"{name} written\n")
        assert (project.root / name).read_text() == printed.stdout
        assert project.igor(command).stderr == f"{name} is up to date\n"
        (project.root / name).write_text("{,}")
        assert project.igor(command).returncode == 1
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    project.write(".igor/config.json", "{}")
    assert project.igor("vimspector").returncode == 2


def test_only_configurations_in_the_files_are_named(tmp_path: Path) -> None:
    name = "igor: attach dev"
    event = {
        "configuration": name, "port": 5678, "host": "apollo", "local_root": str(tmp_path),
        "remote_root": "/workspace", "just_my_code": False,
    }  # fmt: skip
    _waits, vimspector, _dap, vscode = ways_in(event)
    assert vimspector.split(maxsplit=1)[1] == "after: igor vimspector"
    assert vscode.endswith("after: igor vscode")
    (tmp_path / ".vimspector.json").write_text(f'{{"configurations": {{"{name}": {{}}}}}}')
    _waits, vimspector, _dap, vscode = ways_in(event)
    assert vimspector.endswith(f":call vimspector#LaunchWithSettings(#{{configuration: '{name}'}})")
    assert vscode.endswith("after: igor vscode")
