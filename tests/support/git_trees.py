"""Folders with and without git, and odd names in them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ODD_NAMES = [
    b"sp ace", b"new\nline", b"-dash", b"--", b"#hash", b";semi", b"\xff\xfe", b"quote'\"",
    b"$(touch x)", b"tab\t", b"back\\slash", b" lead", b"trail ", b"*", b"[a]", b"\xc3\xb6",
    b"~", b":c", b"!x",
]  # fmt: skip


def git(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
    return done.stdout


def write(root: Path, name: str | bytes, text: str = "x") -> Path:
    path = Path(os.fsdecode(os.path.join(os.fsencode(root), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


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
