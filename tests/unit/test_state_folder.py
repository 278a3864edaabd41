"""The folder of igor's state: the user's alone, or not used."""

import os
import stat
from pathlib import Path

import pytest

from igor_core import directories
from igor_core.errors import AgentError
from tests.support.neighbours import NEIGHBOUR


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o1777])
def test_a_folder_that_others_may_enter_is_made_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "igor").mkdir()
    (tmp_path / "igor").chmod(mode)
    folder = directories.state_directory()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "was open to others" in caplog.text


@pytest.mark.parametrize("kind", ["a folder", "a link"])
def test_another_users_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    theirs = tmp_path / ("igor" if kind == "a folder" else "theirs")
    theirs.mkdir(mode=0o777)
    os.chown(theirs, NEIGHBOUR, NEIGHBOUR)
    if kind == "a link":
        (tmp_path / "igor").symlink_to(theirs)
    for ask in (directories.state_directory, directories.log_path, directories.unsent_path):
        with pytest.raises(AgentError, match="belongs to another user"):
            ask()
    assert list(theirs.iterdir()) == []
