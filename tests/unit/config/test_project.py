import hashlib
import os
from pathlib import Path

import pytest

from igor_core.config import ConfigError, find_project
from igor_core.errors import UsageError

TEXT = '{"host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}}'


def project(root: Path, text: str = TEXT) -> Path:
    (root / ".igor").mkdir(parents=True)
    (root / ".igor" / "config.json").write_text(text)
    return root


def test_the_project_is_found_upwards_from_a_file_a_folder_and_a_file_to_be(
    tmp_path: Path,
) -> None:
    root = project(tmp_path / "lander")
    (root / "src").mkdir()
    (root / "src" / "a.py").touch()
    for start in (root, root / "src", root / "src" / "a.py", root / "new" / "b.py"):
        found = find_project(start)
        assert (found.root, found.name) == (root, "lander")
        assert found.digest == hashlib.sha256(TEXT.encode()).hexdigest()
        assert found.config_file.read_text() == TEXT


def test_a_relative_start_is_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path / "lander")
    monkeypatch.chdir(root)
    assert find_project(Path("src/x.py")).root == root


def test_the_nearest_project_wins(tmp_path: Path) -> None:
    project(tmp_path / "outer")
    inner = project(tmp_path / "outer" / "inner")
    assert find_project(inner / "x").root == inner


def test_a_project_reached_by_a_link_has_its_real_root(tmp_path: Path) -> None:
    root = project(tmp_path / "real")
    (tmp_path / "link").symlink_to(root)
    assert find_project(tmp_path / "link" / "x.py").root == root


def test_no_project_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_project(tmp_path / "a")
    assert caught.value.message == f"no .igor/config.json in {tmp_path}/a or a folder above it"
    assert "igor init" in caught.value.hint


def test_a_config_that_is_a_broken_link_is_not_passed_over(tmp_path: Path) -> None:
    root = project(tmp_path / "outer") / "inner"
    (root / ".igor").mkdir(parents=True)
    (root / ".igor" / "config.json").symlink_to("gone")
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        find_project(root)


def test_project_names_itself_in_the_config(tmp_path: Path) -> None:
    root = project(tmp_path / "-x", TEXT[:-1] + ', "project": "lander"}')
    assert find_project(root).name == "lander"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"-rf", "must not start with '-'"),
        (b"a\nb", "must not contain line breaks or control characters"),
        (b"caf\xe9", "must be valid UTF-8"),
    ],
)
def test_a_folder_whose_name_cannot_name_a_project_is_refused(
    tmp_path: Path, name: bytes, reason: str
) -> None:
    root = project(tmp_path / os.fsdecode(name))
    with pytest.raises(ConfigError) as caught:
        find_project(root)
    (problem,) = caught.value.problems
    assert problem.path == "project"
    assert reason in problem.message


def test_the_dockerfile_is_the_first_that_exists(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    (root / "Dockerfile").touch()
    assert find_project(root).dockerfile() == "Dockerfile"
    (root / "dockerfile").touch()
    assert find_project(root).dockerfile() == "dockerfile"


def test_a_dockerfile_that_is_not_there_is_said(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    with pytest.raises(UsageError, match="there is no dockerfile or Dockerfile in"):
        find_project(root).dockerfile()
    named = project(tmp_path / "q", TEXT[:-1] + ', "dockerfile": "docker/gpu"}')
    with pytest.raises(UsageError, match="there is no docker/gpu in"):
        find_project(named).dockerfile()
    (named / "docker").mkdir()
    (named / "docker" / "gpu").touch()
    assert find_project(named).dockerfile() == "docker/gpu"
