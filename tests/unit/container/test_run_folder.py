"""Igor's own files on a host, written by its shell; here by this machine's."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from igor_core.container.run_folder import differing, run_files, write
from igor_core.errors import HostError
from tests.support.local_shell import LocalShell

FILES = {"debug_helper.py": b"print(1)\n\0\xff", "python.sh": b"exit 3\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    private = tmp_path / "it's $HOME" / ".igor-host"
    private.mkdir(parents=True, mode=0o700)
    return private / "run"


def test_what_is_missing_or_other_is_written_and_then_nothing_differs(folder: Path) -> None:
    assert asyncio.run(differing(LocalShell(), str(folder), FILES)) == [
        "debug_helper.py",
        "python.sh",
    ]
    asyncio.run(write(LocalShell(), str(folder), FILES, FILES))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert asyncio.run(differing(LocalShell(), str(folder), FILES)) == []
    (folder / "python.sh").write_bytes(b"exit 4\n")
    assert asyncio.run(differing(LocalShell(), str(folder), FILES)) == ["python.sh"]


def test_any_user_of_a_container_can_read_them_whatever_the_umask(folder: Path) -> None:
    asyncio.run(write(LocalShell(), str(folder), FILES, FILES))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"run": 0o755, "debug_helper.py": 0o644, "python.sh": 0o644}


def test_who_reads_a_file_while_it_is_renewed_reads_it_to_its_end(folder: Path) -> None:
    asyncio.run(write(LocalShell(), str(folder), FILES, FILES))
    with open(folder / "python.sh", "rb") as reader:
        asyncio.run(write(LocalShell(), str(folder), {"python.sh": b"new\n"}, ["python.sh"]))
        assert reader.read() == FILES["python.sh"]
    assert (folder / "python.sh").read_bytes() == b"new\n"
    assert sorted(os.listdir(folder)) == sorted(FILES)


def test_a_host_where_nothing_can_be_written_is_one_sentence(folder: Path) -> None:
    folder.parent.parent.joinpath("a file").touch()
    folder = folder.parent.parent / "a file" / ".igor-host" / "run"
    with pytest.raises(HostError, match=r"run can't be written there: .*a file") as error:
        asyncio.run(write(LocalShell(), str(folder), FILES, FILES))
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [("", "a project"), ("venv", "venv")],
)
def test_the_projects_python_is_found_as_igor_finds_it(
    tmp_path: Path, environment: str, wanted: str
) -> None:
    launcher = tmp_path / "python.sh"
    script = run_files({})["python.sh"].decode()
    launcher.write_text(script.replace("/venv/", f"{tmp_path}/venvs/"))
    for place, says in (("venv", "venv"), ("venvs/it's", "a project")):
        python = tmp_path / place / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho '{says}' \"$@\"\n")
        python.chmod(0o755)
    values = {"VIRTUAL_ENV": str(tmp_path / environment)} if environment else {}
    done = subprocess.run(
        ["sh", str(launcher), "it's", "-m", "a b"],
        env={"PATH": os.environ["PATH"], **values}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{wanted} -m a b\n"


def test_where_there_is_no_python_the_launcher_says_so(tmp_path: Path) -> None:
    launcher = tmp_path / "python.sh"
    launcher.write_bytes(run_files({})["python.sh"])
    done = subprocess.run(
        ["/bin/sh", str(launcher), "project", "x.py"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (127, "there is no Python\n")


NEIGHBOUR = 40405


@pytest.mark.parametrize("path", [".igor-host", ".igor-host/run"])
@pytest.mark.parametrize("kind", ["a link", "their folder"])
def test_what_a_neighbour_put_there_is_neither_run_nor_written(
    tmp_path: Path, path: str, kind: str
) -> None:
    base, elsewhere = tmp_path / "base", tmp_path / "elsewhere"
    for made in (base, elsewhere, elsewhere / "run"):
        made.mkdir()
    folder = base / ".igor-host/run"
    if path != ".igor-host":
        folder.parent.mkdir(mode=0o777)
    if kind == "a link":
        (base / path).symlink_to(elsewhere)
    else:
        (base / path).mkdir(mode=0o777)
        folder.mkdir(mode=0o777, exist_ok=True)
    os.chown(base / path, NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    for act in (differing(LocalShell(), str(folder), FILES),
                write(LocalShell(), str(folder), FILES, FILES)):  # fmt: skip
        with pytest.raises(HostError, match="is a link, or belongs to another user") as error:
            asyncio.run(act)
        assert "chmod +t" in error.value.hint
    assert [path.name for path in elsewhere.rglob("*")] == ["run"]


@pytest.mark.parametrize("how", ["owned", "writable", "linked", "named twice"])
def test_a_file_that_a_neighbour_can_change_is_written_anew(folder: Path, how: str) -> None:
    asyncio.run(write(LocalShell(), str(folder), FILES, FILES))
    file = folder / "python.sh"
    if how == "owned":
        os.chown(file, NEIGHBOUR, NEIGHBOUR)
    elif how == "writable":
        file.chmod(0o666)
    elif how == "linked":
        file.rename(folder.parent / "theirs")
        file.symlink_to(folder.parent / "theirs")
    else:
        os.link(file, folder.parent / "theirs")
    assert asyncio.run(differing(LocalShell(), str(folder), FILES)) == ["python.sh"]
    asyncio.run(write(LocalShell(), str(folder), FILES, ["python.sh"]))
    found = file.lstat()
    assert (found.st_uid, found.st_mode & 0o777, found.st_nlink) == (os.getuid(), 0o644, 1)
