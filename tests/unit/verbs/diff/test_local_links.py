"""Links in a project that came with a cloned repository, or are put there while igor works."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from igor_core.config.init import write as write_config
from igor_core.debug.editors import safe_file
from igor_core.debug.editors.safe_file import LocalFile, Untouched
from igor_core.errors import IgorError, UsageError
from igor_core.verbs.diff import replace_local as replacing
from igor_core.verbs.diff.replace_local import Backup, Replacement, replace_local
from igor_core.verbs.diff.side import Side, local_side
from igor_core.worktree.open_inside import open_folder

NAMES = [".vimspector.json", ".vscode/launch.json", ".igor/made.json"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("launch.json", "made.json", ".vimspector.json", "config.json"):
        (folder / name).write_text("{}")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["{}", None])
def test_a_generated_file_is_not_written_through_a_link(
    root: Path, outside: Path, name: str, text: str | None
) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    target = outside / "target"
    if text is not None:
        target.write_text(text)
    path.symlink_to(target)
    before = contents(outside)
    with pytest.raises(Untouched, match="outside the project"):
        LocalFile(path, root).write("new", 0o644)
    assert contents(outside) == before


@pytest.mark.parametrize("name", NAMES[1:])
def test_nor_through_a_folder_that_is_one(root: Path, outside: Path, name: str) -> None:
    (root / name).parent.symlink_to(outside)
    before = contents(outside)
    with pytest.raises(Untouched, match="outside the project"):
        LocalFile(root / name, root).write("new", 0o644)
    assert contents(outside) == before


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    root: Path, outside: Path, name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = (root / name).parent
    folder.mkdir()

    def swapped(*words: object, **options: object) -> int:
        if when == "after":
            opened = open_folder(*words, **options)  # type: ignore[arg-type]
        if not folder.is_symlink():
            folder.rename(root / "away")
            folder.symlink_to(outside)
        if when == "before":
            opened = open_folder(*words, **options)  # type: ignore[arg-type]
        return opened

    monkeypatch.setattr(safe_file, "open_folder", swapped)
    before = contents(outside)
    if when == "before":
        with pytest.raises(Untouched):
            LocalFile(root / name, root).write("new", 0o644)
    else:
        LocalFile(root / name, root).write("new", 0o644)
        assert os.listdir(root / "away") == [os.path.basename(name)]
    assert contents(outside) == before


def test_the_first_config_is_not_written_through_a_link(root: Path, outside: Path) -> None:
    (outside / "config.json").unlink()
    (root / ".igor").symlink_to(outside)
    before = contents(outside)
    with pytest.raises(UsageError, match=r"\.igor is a link or a file"):
        write_config(root, "{}")
    (root / ".igor").unlink()
    (root / ".igor").mkdir()
    (root / ".igor/config.json").symlink_to(outside / "config.json")
    with pytest.raises(UsageError, match="exists already"):
        write_config(root, "{}")
    assert contents(outside) == before


@pytest.mark.parametrize("moment", ["look", "open_folder", "_write", "_check"])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_host_has_is_not_written_through_a_link(
    root: Path, outside: Path, moment: str, is_there: bool, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder, path = root / "src", b"src/config.json"
    folder.mkdir()
    if is_there:
        (folder / "config.json").write_text("local")
    seen = local_side(root, path, "here")

    def swap() -> None:
        if not folder.is_symlink():
            folder.rename(root / "away")
            folder.symlink_to(outside)

    if moment == "look":
        swap()
    else:
        before_swap = getattr(replacing, moment)

        def swapped(*words: object, **options: object) -> object:
            swap()
            return before_swap(*words, **options)

        monkeypatch.setattr(replacing, moment, swapped)
    before = contents(outside)
    with open(outside / "made.json", "rb") as source:
        new = Replacement(Side("there", "f", 2, 1, 0o644), source)
        with suppress(IgorError):
            replace_local(root, path, seen, new, Backup.of("p"))
    assert contents(outside) == before
