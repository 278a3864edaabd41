"""A repository that attacks whoever looks at it: nothing of it runs, nothing outside is read."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.worktree import git as git_owner
from igor_core.worktree.files import scan
from igor_core.worktree.membership import belonging
from igor_core.worktree.scanner import Scanner
from tests.support.cli_process import igor
from tests.support.local_project import CONFIG

IDENTITY = ["-c", "user.name=Mallory", "-c", "user.email=mallory@igor.invalid"]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, "-C", str(folder), *words], capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What a program of the repository's writes when it runs."""
    return tmp_path / "marker"


@pytest.fixture
def program(tmp_path: Path, marker: Path) -> Path:
    file = tmp_path / "program"
    file.write_text(f"#!/bin/sh\necho ran >> {marker}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a sparse index: what is in `sub` is known by its tree object alone."""
    root = tmp_path / "repo"
    (root / "sub").mkdir(parents=True)
    (root / ".igor").mkdir()
    (root / ".igor" / "config.json").write_text(CONFIG)
    (root / "a.py").write_text("print('hello')\n")
    (root / "sub" / "b.py").write_text("print('b')\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    git(root, "sparse-checkout", "init", "--cone", "--sparse-index")
    return root


def drop_tree(repo: Path) -> None:
    """Take away the object without which the sparse index can't be read."""
    name = git(repo, "rev-parse", "HEAD:sub")
    (repo / ".git" / "objects" / name[:2] / name[2:]).unlink()


def promise(config: Path, url: str, *more: tuple[str, str]) -> None:
    """Say that missing objects can be had from `url`."""
    settings = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "protocol.allow": "always",
        **dict(more),
    }
    for key, value in settings.items():
        subprocess.run(["git", "config", "-f", config, key, value], check=True)


def ext(program: Path) -> str:
    return f"ext::{program}"


def trap(tmp_path: Path, repo: Path, program: Path) -> Path:
    """A plain clone of a repository in which a folder looks like a bare one, config and all."""
    drop_tree(repo)
    author, clone = tmp_path / "author", tmp_path / "clone"
    folder = author / "trap"
    folder.mkdir(parents=True)
    for name in ("HEAD", "objects", "refs", "index"):
        source = repo / ".git" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "config").write_text("")
    promise(folder / "config", ext(program), ("core.bare", "false"), ("core.worktree", "."))
    (folder / ".igor").mkdir()
    (folder / ".igor" / "config.json").write_text(CONFIG)
    git(author, "init", "-q")
    git(author, "add", "-f", "-A")
    git(author, "commit", "-q", "-m", "innocent")
    subprocess.run(["git", "clone", "-q", author, clone], check=True)
    return clone / "trap"


def look_in_every_way(root: Path, include: tuple[str, ...] = ()) -> None:
    """All that igor asks git about a folder; what git refuses is refused."""
    scanner = Scanner(root, include)
    for ask in (
        scanner.scan,
        scanner.scan,
        lambda: belonging(scanner, {b"": True}, [b"a.py", b"new.py"]),
        lambda: git_owner.ignores_folder(root),
    ):
        with contextlib.suppress(IgorError):
            ask()


def test_the_trap_is_one(tmp_path: Path, repo: Path, program: Path, marker: Path) -> None:
    """By git's own defaults the clone's author gets in: what follows really attacks."""
    folder = trap(tmp_path, repo, program)
    subprocess.run(["git", "-C", folder, "ls-files"], capture_output=True, check=False)
    assert marker.exists()


def test_a_folder_that_looks_like_a_bare_repository_is_refused(
    tmp_path: Path, repo: Path, program: Path, marker: Path
) -> None:
    folder = trap(tmp_path, repo, program)
    with pytest.raises(IgorError, match="looks like a bare git repository") as caught:
        scan(folder)
    assert str(folder) in caught.value.message
    assert "HEAD, objects and refs" in caught.value.hint
    look_in_every_way(folder)
    assert not marker.exists()


@pytest.mark.usefixtures("ssh_home")
def test_no_command_in_an_untrusted_clone_runs_its_program(
    tmp_path: Path, repo: Path, program: Path, marker: Path
) -> None:
    folder = trap(tmp_path, repo, program)
    for words in (["status"], ["doctor"], ["diff"], ["push", "--dry-run"], ["docker", "setup"]):
        done = igor(*words, cwd=folder)
        said = (done.stdout + done.stderr).decode()
        assert "looks like a bare git repository" in said, (words, said)
        assert "Traceback" not in said
        assert not marker.exists()


Url = Callable[[Path], str]
PROMISES: dict[str, tuple[Url, Callable[[Path], tuple[tuple[str, str], ...]]]] = {
    "ext": (ext, lambda program: ()),
    "ssh": (lambda program: "ssh://h/r", lambda program: (("core.sshCommand", str(program)),)),
    "local": (
        lambda program: str(program.parent),
        lambda program: (("remote.origin.uploadpack", str(program)),),
    ),
    "file": (
        lambda program: f"file://{program.parent}",
        lambda program: (("remote.origin.uploadpack", str(program)),),
    ),
    "git": (lambda program: "git://h/r", lambda program: (("core.gitProxy", str(program)),)),
}


@pytest.mark.parametrize("kind", PROMISES)
def test_a_missing_object_is_not_fetched(
    kind: str, repo: Path, program: Path, marker: Path
) -> None:
    """As it comes in an archive: a repository that git has no reason to refuse."""
    url, more = PROMISES[kind]
    drop_tree(repo)
    promise(repo / ".git" / "config", url(program), *more(program))
    look_in_every_way(repo, ("data/",))
    assert not marker.exists()


def hooks(repo: Path, program: Path) -> None:
    folder = repo / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout", "pre-auto-gc"):
        shutil.copy(program, folder / name)


def settings(*pairs: tuple[str, str]) -> Callable[[Path, Path], None]:
    def write(repo: Path, program: Path) -> None:
        (repo / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
        for key, value in pairs:
            git(repo, "config", key, value.replace("PROGRAM", str(program)))

    return write


PROGRAMS = {
    "hooks": hooks,
    "monitor": settings(("core.fsmonitor", "PROGRAM"), ("core.useBuiltinFSMonitor", "true")),
    "hooks path": settings(("core.hooksPath", "PROGRAM/..")),
    "filters": settings(
        ("filter.evil.clean", "PROGRAM"), ("filter.evil.smudge", "PROGRAM"),
        ("filter.evil.process", "PROGRAM"), ("filter.evil.required", "true"),
    ),
    "textconv": settings(
        ("diff.evil.textconv", "PROGRAM"), ("diff.evil.command", "PROGRAM"),
        ("diff.external", "PROGRAM"), ("merge.evil.driver", "PROGRAM"),
    ),
    "pager": settings(
        ("core.pager", "PROGRAM"), ("pager.ls-files", "PROGRAM"), ("pager.check-ignore", "PROGRAM"),
        ("core.editor", "PROGRAM"), ("alias.ls-files", "!PROGRAM"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PROGRAMS)
def test_no_program_of_a_repository_s_config_runs(
    kind: str, repo: Path, program: Path, marker: Path
) -> None:
    PROGRAMS[kind](repo, program)
    look_in_every_way(repo, ("data/",))
    (repo / "a.py").write_text("changed\n")
    look_in_every_way(repo)
    assert not marker.exists()


def test_a_repository_inside_is_asked_in_the_same_way(
    tmp_path: Path, repo: Path, program: Path, marker: Path
) -> None:
    drop_tree(repo)
    promise(repo / ".git" / "config", ext(program))
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    repo.rename(outer / "inner")
    look_in_every_way(outer)
    assert not marker.exists()


def test_git_that_never_answers_is_given_up(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(repo / "endless")
    git(repo, "config", "include.path", "../endless")
    monkeypatch.setattr(git_owner, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(IgorError, match=r"git has not listed the files within") as caught:
        scan(repo)
    assert f"git -C {repo}" in caught.value.hint


def test_a_list_without_end_takes_no_memory(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small index can unfold into any amount of names."""
    monkeypatch.setattr(git_owner, "LONGEST_LIST", 1 << 12)
    for number in range(200):
        (repo / f"{'long' * 20}{number}").touch()
    with pytest.raises(IgorError, match="git's list of the files is over"):
        scan(repo)
