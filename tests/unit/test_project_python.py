"""Which Python runs a project's programs, and why none does: by a real sh."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.project_python import FUNCTION, NO_PYTHON

#: Not root, for which no folder is closed.
SOMEBODY = 40404
CLOSED = f"can't be reached: root is closed to uid {SOMEBODY}"
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Everybody may enter it, unlike pytest's own."""
    made = Path(f"/tmp/igor-python-{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    (made / "bin").mkdir(parents=True)
    for name in ("python3", "python3.12"):
        program(made / "bin" / name)
    yield made
    shutil.rmtree(made)


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def find(
    folder: Path, configured: str = "", virtual_env: str = "", shell: str = "sh"
) -> tuple[int, str]:
    """Return the status, and what was printed."""
    script = FUNCTION.replace("/venv/", f"{folder}/venv/") + 'find_python "$1" project'
    done = subprocess.run(
        [*(["busybox", "sh"] if shell == "busybox" else [shell]), "-c", script, "sh", configured],
        env={"PATH": f"{folder}/bin:/usr/bin:/bin", "VIRTUAL_ENV": virtual_env},
        capture_output=True, text=True, check=False, user=SOMEBODY, group=SOMEBODY,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).replace(f"{folder}/", "").strip()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_order(folder: Path, shell: str) -> None:
    assert find(folder, shell=shell) == (0, "bin/python3")
    program(folder / "bin/python")
    assert find(folder, shell=shell) == (0, "bin/python")
    program(folder / "venv/project/bin/python")
    assert find(folder, shell=shell) == (0, "venv/project/bin/python")
    program(folder / "it's a venv/bin/python")
    assert find(folder, "", f"{folder}/it's a venv", shell) == (0, "it's a venv/bin/python")
    assert find(folder, "python3.12", f"{folder}/it's a venv", shell) == (0, "bin/python3.12")
    assert find(folder, f"{folder}/bin/python3", shell=shell) == (0, "bin/python3")


def closed(folder: Path) -> None:
    program(folder / "root/.local/python3.12")
    (folder / "root").chmod(0o700)


def broken(folder: Path) -> None:
    (folder / "v/bin").mkdir(parents=True)
    (folder / "v/bin/python").symlink_to(f"{folder}/usr/bin/python3.9")


def behind_links(folder: Path) -> None:
    closed(folder)
    (folder / "v/bin").mkdir(parents=True)
    (folder / "v/bin/python3").symlink_to(f"{folder}/root/.local/python3.12")
    (folder / "v/bin/python").symlink_to("python3")


def plain(folder: Path) -> None:
    program(folder / "v/bin/python").chmod(0o644)


def directory(folder: Path) -> None:
    (folder / "v/bin/python").mkdir(parents=True)


@pytest.mark.parametrize("by", ["config", "VIRTUAL_ENV"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (None, "is not there"),
        (broken, "is a link to usr/bin/python3.9, which is not there"),
        (behind_links, f"is a link to root/.local/python3.12, which {CLOSED}"),
        (plain, "is not executable"),
        (directory, "is a folder"),
    ],
)  # fmt: skip
def test_what_is_named_and_can_not_be_used_is_not_replaced_by_another(
    folder: Path, make: object, reason: str, by: str
) -> None:
    if callable(make):
        make(folder)
    named = f"{folder}/v/bin/python"
    if by == "config":
        found = find(folder, named)
        who = '"debug": {"python"} in the config'
    else:
        found = find(folder, "", f"{folder}/v")
        who = "VIRTUAL_ENV"
    assert found == (NO_PYTHON, f"v/bin/python, which {who} names, {reason}")


def test_a_folder_that_is_closed_to_the_user_is_named(folder: Path) -> None:
    closed(folder)
    status, said = find(folder, "", f"{folder}/root/.local")
    assert status == NO_PYTHON
    assert said.endswith(f"names, {CLOSED}")


def test_a_name_without_a_folder_is_searched_on_the_path(folder: Path) -> None:
    status, said = find(folder, "python2.7")
    assert status == NO_PYTHON
    assert said.endswith("names, is not on the PATH")
