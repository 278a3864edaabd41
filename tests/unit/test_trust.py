"""What the trust in a project covers: each file of it that decides what igor does by itself."""

import json
import os
from pathlib import Path

import pytest

from igor_core.config import Project, find_project
from igor_core.trust import is_trusted, revoke, trust

HOSTS = {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}


def project(root: Path, **keys: object) -> Project:
    (root / ".igor").mkdir(exist_ok=True)
    (root / ".igor/config.json").write_text(json.dumps({"host_groups": HOSTS, **keys}))
    return find_project(root)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state/igor"


@pytest.mark.parametrize("before", [None, b"", b"*.key\n.env\n"])
@pytest.mark.parametrize("after", [None, b"", b"*.key\n", b"*.key\n.env\n!x"])
def test_the_trust_ends_with_a_change_of_what_is_not_pushed(
    tmp_path: Path, before: bytes | None, after: bytes | None
) -> None:
    project(tmp_path)
    ignore = tmp_path / ".igor/ignore"
    for content in (before, after):
        ignore.unlink(missing_ok=True)
        if content is not None:
            ignore.write_bytes(content)
        if content is before:
            trust(find_project(tmp_path))
    assert is_trusted(find_project(tmp_path)) is (before == after)


def test_patterns_that_are_no_file_are_not_waited_for(tmp_path: Path) -> None:
    trust(project(tmp_path))
    os.mkfifo(tmp_path / ".igor/ignore")
    assert not is_trusted(find_project(tmp_path))


def test_each_version_that_was_trusted_stays_so(tmp_path: Path) -> None:
    trust(project(tmp_path, user="a"))
    assert not is_trusted(project(tmp_path, user="b"))
    trust(project(tmp_path, user="b"))
    assert is_trusted(project(tmp_path, user="a"))
    assert not is_trusted(project(tmp_path, user="c"))
    assert revoke(project(tmp_path, user="c"))
    assert not is_trusted(project(tmp_path, user="a"))
