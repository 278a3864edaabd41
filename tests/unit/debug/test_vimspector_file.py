"""igor's entries in .vimspector.json beside the user's."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from igor_core.config import Project
from igor_core.debug.editors.endpoints import endpoints_of
from igor_core.debug.editors.files import VIMSPECTOR, Notice
from igor_core.debug.editors.json_edit import without_comments
from igor_core.debug.editors.vimspector import generate
from tests.support.local_project import make_local_project

THEIRS = """{
\t"configurations": {
\t\t"mine" : {"adapter": "debugpy", "n": 1.50, "e": 1e3 , "text": "\\u00e4 // no /* comment */"},

\t\t"igor: attach gone": {"adapter": "igor-gone"},
\t\t"igorific": {"adapter": "x"}
\t},
\t"adapters": { "mine": {"port": "1"}, "igor-gone": {"port": 1}, "igor-attach-dev": {"port": 2} },
\t"more": [ ]
}
"""
OURS = ("igor: ", "igor-")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_local_project(tmp_path)


def write(project: Project, port: int = 5678) -> Notice:
    found = endpoints_of(project, {"dev": "dino-project-dev"}, {("dev", "apollo"): port})
    return VIMSPECTOR.update(project, found)


def wanted(project: Project, **more: Any) -> dict[str, Any]:
    return generate(project, endpoints_of(project, {"dev": "dino-project-dev"}, {}), **more)


def read(project: Project, name: str = ".vimspector.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.root / name).read_text())
    return found


def without_ours(content: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {n: v for n, v in each.items() if not n.startswith(OURS)}
        if isinstance(each, dict) else each
        for name, each in content.items()
    }  # fmt: skip


def test_a_new_file_has_igors_entries_and_the_configs_mode(project: Project) -> None:
    assert write(project).text == ".vimspector.json written"
    assert read(project) == wanted(project)
    file = project.root / ".vimspector.json"
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(project.root)) == [".igor", ".vimspector.json"]


def test_a_file_that_is_up_to_date_is_not_written(project: Project) -> None:
    write(project)
    file = project.root / ".vimspector.json"
    before = file.stat()
    assert write(project).kind == "same"
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_port_changes_igors_entry_and_back_gives_the_same_bytes(project: Project) -> None:
    write(project)
    file = project.root / ".vimspector.json"
    first = file.read_bytes()
    assert write(project, 5680).text == ".vimspector.json updated"
    assert read(project)["adapters"]["igor-attach-dev"]["port"] == 5680
    write(project)
    assert file.read_bytes() == first


def test_the_users_entries_keep_their_bytes_and_order(project: Project) -> None:
    file = project.root / ".vimspector.json"
    file.write_text(THEIRS)
    write(project)
    text, content = file.read_text(), read(project)
    assert without_ours(content) == without_ours(json.loads(THEIRS))
    assert list(content) == ["configurations", "adapters", "more"]
    assert list(content["configurations"])[:2] == ["mine", "igorific"]
    for line in THEIRS.splitlines():
        if "gone" not in line and "igor" not in line:
            assert line in text
    igors = {n: v for n, v in content["adapters"].items() if n.startswith("igor-")}
    assert igors == wanted(project)["adapters"]
    assert "igor: attach gone" not in content["configurations"]
    assert write(project).kind == "same"


def test_the_users_default_stays_the_only_one(project: Project) -> None:
    theirs = {"configurations": {"mine": {"adapter": "x", "default": True, "configuration": {}}}}
    (project.root / ".vimspector.json").write_text(json.dumps(theirs))
    write(project)
    found = read(project)["configurations"]
    assert [name for name, each in found.items() if each.get("default")] == ["mine"]
    assert set(found) == {"mine", *wanted(project)["configurations"]}


def test_the_users_comments_stay(project: Project) -> None:
    file = project.root / ".vimspector.json"
    file.write_text('// mine\n{"configurations": {\n  "mine": {"default": true} // the usual\n}}\n')
    assert write(project).kind == "done"
    text = file.read_text()
    assert text.startswith("// mine\n")
    assert "// the usual\n" in text
    found = json.loads(without_comments(text))
    assert found["adapters"] == wanted(project)["adapters"]
    assert found["configurations"] == {
        "mine": {"default": True}, **wanted(project, default=False)["configurations"],
    }  # fmt: skip
    assert write(project).kind == "same"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"configurations": {},}', "line 1: remove this comma"),
        ('// x\n{"a": 1,}', "line 2: remove this comma"),
        ('{"configurations": []}', "'configurations' must be an object"),
        ("[]", "the file must hold an object"),
        ('{"adapters": {"a": 1, "a": 2}}', "the key 'a' is repeated"),
    ],
)
def test_a_malformed_file_is_not_changed(project: Project, text: str, said: str) -> None:
    file = project.root / ".vimspector.json"
    file.write_text(text)
    notice = write(project)
    assert (notice.kind, notice.hint) == (
        "failed", "igor vimspector --print shows igor's entries",
    )  # fmt: skip
    assert notice.text.startswith(".vimspector.json not changed: ")
    assert said in notice.text
    assert file.read_text() == text


def test_a_link_within_is_followed_and_a_mode_kept(project: Project) -> None:
    real = project.root / "editor/dotfiles.json"
    real.parent.mkdir()
    real.write_text("{}")
    real.chmod(0o604)
    link = project.root / ".vimspector.json"
    link.symlink_to(real)
    write(project)
    assert link.is_symlink()
    assert json.loads(real.read_text())["configurations"]
    assert real.stat().st_mode & 0o777 == 0o604
    assert os.listdir(real.parent) == ["dotfiles.json"]


@pytest.mark.parametrize("content", [None, "", "\n", "{}", '{"adapters": {}}'])
def test_nothing_is_written_where_a_link_leads_out_of_the_project(
    project: Project, tmp_path: Path, content: str | None
) -> None:
    outside = tmp_path / "aliases"
    if content is not None:
        outside.write_text(content)
    (project.root / ".vimspector.json").symlink_to("../aliases")
    notice = write(project)
    assert notice.kind == "failed"
    assert f"is a link to {outside}, outside the project" in notice.text
    assert (outside.read_text() if outside.exists() else None) == content
    assert not list(tmp_path.glob(".*"))


def test_a_link_within_the_project_may_be_the_first_to_have_its_file(project: Project) -> None:
    (project.root / ".vimspector.json").symlink_to(".igor/vimspector.json")
    notice = write(project)
    assert notice.kind == "done"
    assert json.loads((project.root / ".igor/vimspector.json").read_text())["configurations"]


def _read_only(file: Path) -> None:
    file.write_text("{}")
    file.chmod(0o444)


def _loop(file: Path) -> None:
    file.symlink_to(file)


def _not_text(file: Path) -> None:
    file.write_bytes(b'{"a": "\xff"}')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_read_only, "is read-only; not written"),
        (Path.mkdir, "can't be read: Is a directory"),
        (_loop, "can't be read: Too many levels of symbolic links"),
        (_not_text, "is not UTF-8"),
    ],
)
def test_a_file_that_can_t_be_written_is_one_sentence(
    project: Project, spoil: Callable[[Path], None], said: str
) -> None:
    file = project.root / ".vimspector.json"
    spoil(file)
    notice = write(project)
    assert (notice.kind, notice.text) == ("failed", f"{file} {said}")
    assert sorted(os.listdir(project.root)) == [".igor", ".vimspector.json"]
