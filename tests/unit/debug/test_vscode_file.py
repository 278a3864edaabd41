"""igor's entries in .vscode/launch.json beside the user's."""

import json
from pathlib import Path
from typing import Any

import pytest

from igor_core.config import Project
from igor_core.debug.editors.endpoints import endpoints_of
from igor_core.debug.editors.files import VSCODE, Notice
from igor_core.debug.editors.vscode import generate
from tests.support.local_project import make_local_project

NAME = ".vscode/launch.json"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_local_project(tmp_path)


def write(project: Project) -> Notice:
    return VSCODE.update(project, endpoints_of(project, {"dev": "c"}, {}))


def read(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.root / NAME).read_text())
    return found


def test_launch_json_is_what_vs_code_and_nvim_dap_read(project: Project) -> None:
    assert write(project).text == ".vscode/launch.json written"
    assert read(project) == {
        "version": "0.2.0",
        "configurations": [
            {
                "name": "igor: attach dev",
                "type": "debugpy",
                "request": "attach",
                "connect": {"host": "127.0.0.1", "port": 5678},
                "justMyCode": False,
                "pathMappings": [{"localRoot": "${workspaceFolder}", "remoteRoot": "/workspace"}],
            }
        ],
    }
    assert (project.root / ".vscode").stat().st_mode & 0o777 == 0o750
    assert write(project).kind == "same"


def test_comments_stay_where_they_are(project: Project) -> None:
    write(project)
    file = project.root / NAME
    file.write_text("// Use IntelliSense.\n" + file.read_text())
    assert write(project).kind == "same"
    right = file.read_text()
    file.write_text(right.replace("5678", "9"))
    assert write(project).kind == "done"
    assert file.read_text() == right
    file.write_text("// a list\n[]")
    assert write(project) == Notice(
        "failed", f"{NAME} not changed: the file must hold an object ({{...}})",
        "igor vscode --print shows igor's entries",
    )  # fmt: skip


def test_the_comments_with_which_vs_code_makes_the_file_stay(project: Project) -> None:
    text = '{\n  // Use IntelliSense to learn about possible attributes.\n  "configurations": []\n}'
    file = project.root / NAME
    file.parent.mkdir()
    file.write_text(text)
    assert write(project).kind == "done"
    assert file.read_text().startswith(text.removesuffix("]\n}"))
    found = json.loads(file.read_text().replace(text.splitlines()[1], ""))
    assert [each["name"] for each in found["configurations"]] == ["igor: attach dev"]


def test_other_configurations_of_launch_json_stay_as_they_are(project: Project) -> None:
    theirs = (
        '{"version": "0.2.0", "inputs": [],\n "configurations": [\n'
        '    {"type": "go", "name": "mine"},\n    {"name": "igor: attach gone"},\n    "odd"\n]}'
    )
    file = project.root / ".vscode" / "launch.json"
    file.parent.mkdir()
    file.write_text(theirs)
    write(project)
    content = read(project)
    found = endpoints_of(project, {"dev": "c"}, {})
    assert content["configurations"] == [
        {"type": "go", "name": "mine"}, "odd", *generate(project, found)["configurations"],
    ]  # fmt: skip
    assert file.read_text().startswith(theirs.partition('    {"name"')[0])
    assert write(project).kind == "same"


def test_a_file_that_is_read_only_is_one_sentence(project: Project) -> None:
    file = project.root / NAME
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o444)
    notice = write(project)
    assert (notice.kind, notice.text) == ("failed", f"{file} is read-only; not written")
    assert file.read_text() == "{}"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_that_is_a_link_out_of_the_project_gets_no_new_file(
    project: Project, tmp_path: Path, is_there: bool
) -> None:
    outside = tmp_path / "elsewhere"
    if is_there:
        outside.mkdir()
    (project.root / ".vscode").symlink_to(outside)
    notice = write(project)
    assert notice.kind == "failed"
    assert "outside the project" in notice.text
    assert outside.exists() == is_there
    assert not is_there or not list(outside.iterdir())
