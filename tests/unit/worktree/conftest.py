"""Folders for a local tree: with git, without, and one of a normal user."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_trees import git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def repo(root: Path) -> Path:
    git(root, "init", "-q")
    return root


@pytest.fixture
def normal_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A root of a normal user, whom permissions bind; the test goes on as that user."""
    folder = Path(tempfile.mkdtemp(prefix="igor-", dir="/tmp"))
    monkeypatch.setenv("HOME", str(folder))
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder / "project"
    os.seteuid(os.getuid())
    shutil.rmtree(folder)
