"""Which files belong to the tree: held against real git."""

import os
import random
import socket
import subprocess
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.worktree.files import File, Tree, look, scan, shown
from igor_core.worktree.local_tree import LocalTree
from tests.support.git_trees import ODD_NAMES, git, write


def git_list(folder: Path) -> set[bytes]:
    return set(filter(None, git(folder, "ls-files", "-coz", "--exclude-standard").split(b"\0")))


def names(tree: Tree) -> set[bytes]:
    return set(tree.files)


def test_tracked_and_untracked_files_belong_to_it_and_ignored_ones_do_not(repo: Path) -> None:
    for name in ("tracked.py", "untracked.py", "ignored.log", "build/x"):
        write(repo, name)
    write(repo, ".gitignore", "*.log\nbuild/\n")
    git(repo, "add", "tracked.py")
    assert names(scan(repo)) == {b"tracked.py", b"untracked.py", b".gitignore"}


def test_a_tracked_file_in_an_ignored_folder_belongs_to_it(repo: Path) -> None:
    write(repo, ".gitignore", "data/*\n")
    for name in ("src/project/data/__init__.py", "data/kept", "data/dropped"):
        write(repo, name)
    git(repo, "add", "-f", "src/project/data/__init__.py", "data/kept")
    assert names(scan(repo)) == {b".gitignore", b"src/project/data/__init__.py", b"data/kept"}


def test_a_deleted_tracked_file_is_gone(repo: Path) -> None:
    path = write(repo, "a")
    git(repo, "add", "a")
    path.unlink()
    tree = scan(repo)
    assert names(tree) == set()
    assert tree.is_gone(b"a")


def test_links_are_links_wherever_they_point(repo: Path) -> None:
    write(repo, "folder/file")
    for name, target in (("to-folder", "folder"), ("dangling", "no\nwhere"), ("out", "/etc")):
        (repo / name).symlink_to(target)
    git(repo, "add", "to-folder")
    tree = scan(repo)
    assert names(tree) == {b"folder/file", b"to-folder", b"dangling", b"out"}
    assert {p: f.target for p, f in tree.files.items() if f.kind == "l"} == {
        b"to-folder": b"folder", b"dangling": b"no\nwhere", b"out": b"/etc",
    }  # fmt: skip


def test_a_link_in_the_place_of_a_tracked_folder_hides_what_is_behind_it(repo: Path) -> None:
    write(repo, "a/b/c")
    git(repo, "add", "a")
    (repo / "a").rename(repo.parent / "elsewhere")
    (repo / "a").symlink_to("../elsewhere")
    assert b"a/b/c" in git_list(repo)
    assert names(scan(repo)) == {b"a"}


def test_a_tracked_file_that_became_a_folder_is_its_files(repo: Path) -> None:
    write(repo, "a")
    git(repo, "add", "a")
    (repo / "a").unlink()
    write(repo, "a/b")
    assert names(scan(repo)) == {b"a/b"}


def test_size_time_and_permissions_are_those_of_the_file(repo: Path) -> None:
    path = write(repo, "run.sh", "#!/bin/sh\n")
    path.chmod(0o755)
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    now = path.stat()
    assert scan(repo).files[b"run.sh"] == File(
        b"run.sh", "f", 10, 1_700_000_000_123_456_789, 0o755, b"", now.st_ctime_ns, now.st_ino
    )


@pytest.mark.parametrize("inside_git", [True, False])
def test_any_name_that_a_file_can_have(root: Path, inside_git: bool) -> None:
    for name in ODD_NAMES:
        write(root, name)
        write(root, b"in " + name + b"/" + name)
    if inside_git:
        git(root, "init", "-q")
        git(root, "config", "core.quotePath", "true")
    assert names(scan(root)) == {
        path for name in ODD_NAMES for path in (name, b"in " + name + b"/" + name)
    }


@pytest.mark.parametrize("place", [".claude/worktrees/fix", ".worktrees/fix", "a b/fix"])
@pytest.mark.parametrize("options", [[], ["-c", "worktree.useRelativePaths=true"]])
async def test_a_worktree_of_the_same_repository_is_not_part_of_it(
    repo: Path, tmp_path: Path, place: str, options: list[str]
) -> None:
    write(repo, "main.py")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "first")
    write(repo, "sub/own.py")
    git(repo, *options, "worktree", "add", "-q", "-b", "fix", place)
    other = tmp_path / "other"
    for folder in (other, repo / "clone"):
        git(tmp_path, "init", "-q", str(folder))
        write(folder, "their.py")
    git(other, "add", ".")
    git(other, "commit", "-qm", "first")
    # A worktree of another repository is as good as a clone of it.
    git(other, "worktree", "add", "-q", "-b", "fix", str(repo / "of-other"))
    expected = {b"main.py", b"sub/own.py", b"clone/their.py", b"of-other/their.py"}
    assert names(scan(repo)) == expected
    assert names(scan(repo / place)) == {b"main.py"}
    assert names(scan(repo / "sub")) == {b"own.py"}
    local = LocalTree(repo)
    await local.reconcile()
    looked = await local.ask([f"{place}/main.py".encode(), b"sub/own.py"])
    assert (set(looked.files), looked.reconcile) == ({b"sub/own.py"}, False)


def test_a_submodule_is_its_own_list(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, "sub.py")
    write(other, ".gitignore", "*.o\n")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-qm", "x")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "lib")
    write(repo, "lib/new.py")
    write(repo, "lib/junk.o")
    assert names(scan(repo)) == {
        b".gitmodules", b"lib/sub.py", b"lib/.gitignore", b"lib/new.py",
    }  # fmt: skip


@pytest.mark.parametrize("inside_git", [True, False])
def test_a_repository_inside_is_its_own_list(root: Path, inside_git: bool) -> None:
    if inside_git:
        git(root, "init", "-q")
    write(root, "vendor/dep/data/kept")
    write(root, "vendor/dep/data/dropped")
    write(root, "vendor/dep/.gitignore", "data/*\n")
    git(root / "vendor/dep", "init", "-q")
    git(root / "vendor/dep", "add", "-f", "data/kept")
    write(root, "vendor/dep/deeper/x")
    git(root / "vendor/dep/deeper", "init", "-q")
    assert names(scan(root)) == {
        b"vendor/dep/.gitignore", b"vendor/dep/data/kept", b"vendor/dep/deeper/x",
    }  # fmt: skip


def test_a_root_below_the_top_of_its_repository_has_paths_of_its_own(repo: Path) -> None:
    write(repo, ".gitignore", "*.log\n/sub/secret\n")
    for name in ("top", "sub/a", "sub/b.log", "sub/secret", "sub/deep/c"):
        write(repo, name)
    git(repo, "add", "sub/a")
    assert names(scan(repo / "sub")) == {b"a", b"deep/c"}


def test_a_root_that_an_outer_repository_ignores_stands_alone(repo: Path) -> None:
    write(repo, ".gitignore", "*\n")
    write(repo, "code/app/main.py")
    write(repo, "code/app/.gitignore", "*.o\n")
    write(repo, "code/app/main.o")
    assert names(scan(repo / "code/app")) == {b"main.py", b".gitignore"}


def test_an_empty_repository_is_empty_though_it_ignores_all(repo: Path) -> None:
    write(repo, ".git/info/exclude", "*\n")
    write(repo, "a")
    assert names(scan(repo)) == set()


def test_an_unmerged_file_is_there_once(repo: Path) -> None:
    write(repo, "a", "1")
    git(repo, "add", "a")
    git(repo, "commit", "-qm", "1")
    git(repo, "checkout", "-qb", "other")
    write(repo, "a", "2")
    git(repo, "commit", "-qam", "2")
    git(repo, "checkout", "-q", "main")
    write(repo, "a", "3")
    git(repo, "commit", "-qam", "3")
    subprocess.run(["git", "-C", str(repo), "merge", "other"], capture_output=True, check=False)
    assert git(repo, "ls-files", "-c").count(b"a\n") == 3
    assert names(scan(repo)) == {b"a"}


def test_a_worktree_is_listed_and_a_broken_one_is_an_error(repo: Path, tmp_path: Path) -> None:
    write(repo, ".gitignore", "data/*\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "x")
    tree = tmp_path / "tree"
    git(repo, "worktree", "add", "-q", str(tree))
    assert names(scan(tree)) == {b".gitignore"}
    (tree / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(IgorError, match=r"git can't list the files: .*not a git repository"):
        scan(tree)


def test_a_hook_s_variables_do_not_choose_the_repository(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repo, "a")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert names(scan(repo)) == {b"a"}


def test_listing_runs_no_program_that_a_repository_s_config_names(repo: Path) -> None:
    write(repo, "a")
    program = write(repo, ".git/program", f"#!/bin/sh\ntouch {repo.parent}/ran\n")
    program.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(program))
    assert names(scan(repo)) == {b"a"}
    assert not (repo.parent / "ran").exists()


def test_a_repository_of_somebody_else_is_named_with_the_remedy(repo: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    for path in (repo, repo / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(IgorError, match="belongs to somebody else") as caught:
        scan(repo)
    assert (
        caught.value.hint == f"if you trust it: git config --global --add safe.directory '{repo}'"
    )


def test_without_git_a_repository_is_an_error_and_a_plain_folder_is_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "a.py")
    write(root, "b.log")
    write(root, ".gitignore", "*.log\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert names(scan(root)) == {b"a.py", b".gitignore"}
    (root / ".git").mkdir()
    with pytest.raises(IgorError, match="git is not installed locally"):
        scan(root)


# -- igor's own lists


@pytest.mark.parametrize("inside_git", [True, False])
def test_igor_s_ignore_file_and_exclude_take_away(root: Path, inside_git: bool) -> None:
    if inside_git:
        git(root, "init", "-q")
    for name in ("keep.py", "data/a", "data/b", "notes.md", "old/README.md", "a\nb.tmp"):
        write(root, name)
    write(root, ".igor/ignore", "# mine\ndata/\n!data/b\n*.tmp\n")
    tree = scan(root, exclude=["*.md", "!/notes.md"])
    assert names(tree) == {b"keep.py", b"notes.md", b".igor/ignore"}


@pytest.mark.parametrize("inside_git", [True, False])
def test_include_adds_what_git_ignores(root: Path, inside_git: bool) -> None:
    if inside_git:
        git(root, "init", "-q")
    write(root, ".gitignore", "models/\n*.bin\n/cache\n")
    for name in ("models/a.bin", "models/deep/b.bin", "c.bin", "cache/x", "models/c.txt"):
        write(root, name)
    tree = scan(root, include=["models/**", "!*.txt", "/cache"])
    assert names(tree) == {b".gitignore", b"models/a.bin", b"models/deep/b.bin", b"cache/x"}


def test_exclude_wins_over_include(repo: Path) -> None:
    write(repo, ".gitignore", "out/\n")
    write(repo, "out/a")
    write(repo, "out/b")
    tree = scan(repo, include=["out/"], exclude=["out/b"])
    assert names(tree) == {b".gitignore", b"out/a"}


@pytest.mark.parametrize("line", ["!", "\\", "[", "/", "a\\", "  ", "[z-a]", "**", "***"])
def test_a_line_that_is_no_pattern_is_passed_over(repo: Path, line: str) -> None:
    write(repo, "file")
    write(repo, ".igor/ignore", f"{line}\n.igor\n")
    assert names(scan(repo)) == (set() if line in ("**", "***") else {b"file"})


def test_an_ignore_file_that_is_a_folder_is_one_sentence(repo: Path) -> None:
    (repo / ".igor/ignore").mkdir(parents=True)
    with pytest.raises(IgorError, match=r"\.igor/ignore is not a regular file"):
        scan(repo)


# -- what can't be sent


@pytest.mark.parametrize("inside_git", [True, False])
def test_what_is_neither_file_nor_link_is_passed_over(
    root: Path, inside_git: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "tracked")
    if inside_git:
        git(root, "init", "-q")
        git(root, "add", "tracked")
    (root / "tracked").unlink()
    os.mkfifo(root / "tracked")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(root)
        listener.bind("s")
    tree = scan(root)
    assert names(tree) == set()
    assert set(tree.passed_over) == ({b"tracked"} if inside_git else {b"tracked", b"s"})
    assert not tree.is_gone(b"tracked")
    assert tree.is_gone(b"other")


@pytest.mark.parametrize("inside_git", [True, False])
def test_what_can_t_be_read_is_not_taken_for_deleted(normal_root: Path, inside_git: bool) -> None:
    root = normal_root
    for name in ("open/a", "closed/tracked", "closed/untracked", "blind/tracked"):
        write(root, name)
    if inside_git:
        git(root, "init", "-q")
        git(root, "add", "closed/tracked", "blind/tracked")
    (root / "closed").chmod(0)
    (root / "blind").chmod(0o444)
    try:
        tree = scan(root)
    finally:
        (root / "closed").chmod(0o755)
        (root / "blind").chmod(0o755)
    assert names(tree) == {b"open/a"}
    assert not tree.is_gone(b"closed/tracked")
    assert not tree.is_gone(b"closed/untracked")
    assert not tree.is_gone(b"blind/tracked")
    assert tree.is_gone(b"open/b")


def test_a_file_is_looked_at_again_as_it_is_now(root: Path) -> None:
    write(root, "a", "12")
    file = look(root, b"a")
    assert file is not None
    assert (file.kind, file.size) == ("f", 2)
    assert look(root, b"b") is None
    assert look(root, b"a/b") is None


def test_a_path_is_shown_on_one_line() -> None:
    assert shown(b"a\nb\t\xff\x1b[1m \xc3\xb6") == "a\\nb\\t\\xff\\x1b[1m ö"


# -- outside git the rules are git's

PATTERNS = """\
*|!*/|!*.py|data/*|/data|data/|foo|!foo|**/foo|foo/**|!foo/**|a/b|/a/*|!/a/b|*.txt|!x.txt|build
b/|!b/|a/**/b|*.[pt]*|foo/*|!foo/bar.py|.*|!.hidden|# c||sp ace|sp\\ ace|  |a |\\-d|?|[!a]|!a/
ba?.py|d*|!data/|x.txt/|/*|!/foo|!/foo/|**|a/**|!a/b/c|a/b**|a/fo**/x.txt|/a**|/**b|***/x.txt|a/**b|[a-
[[:alpha:]]*|[[:alpha:]|[[:nope:]]|foo[/]b|a[/]b|\\*|!|/|//|ba[!r]*|[]a]*|[^b]*|[z-a]|[a-c]|[\\]a]
a\\|a\\  |x.txt\\|\\!a|!/a/|/foo/bar.py/|a/?|a/[!b]*|!a/b/|!**/foo/|**/|a/**/|**/a/**|??|*ö*|ö/\
""".replace("\n", "|").split("|")
NAMES = ["a", "b", "foo", "bar.py", "x.txt", "data", "build", ".hidden", "sp ace", "new\nline",
         "-d", "ö"]  # fmt: skip


def grow(rng: random.Random, folder: Path, depth: int = 0) -> None:
    for name in rng.sample(NAMES, rng.randint(1, 5)):
        path, dice = folder / name, rng.random()
        if dice < 0.45 and depth < 3:
            path.mkdir()
            grow(rng, path, depth + 1)
        elif dice < 0.55:
            path.symlink_to(rng.choice(["a", "../b", "nowhere"]))
        else:
            path.write_text("x")
    if rng.random() < (0.9 if depth == 0 else 0.3):
        lines = "\n".join(rng.choice(PATTERNS) for _ in range(rng.randint(1, 5)))
        (folder / ".gitignore").write_text(lines + rng.choice(["", "\n", "\r\n"]))


@pytest.mark.parametrize("seed", range(100))
def test_outside_git_a_tree_is_what_git_would_list(root: Path, seed: int) -> None:
    grow(random.Random(seed), root)
    ours = names(scan(root))
    git(root, "init", "-q")
    assert ours == git_list(root)
    assert ours == names(scan(root))
