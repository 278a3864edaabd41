"""`igor diff` on real hosts: show what a push holds back, and resolve it either way."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.cli_process import Terminal, environment, igor
from tests.support.differing import Differing, project
from tests.support.lying import program

__all__ = ["project"]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=["receiver", "rsync"])
def either(lab: Lab, ssh_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Differing:
    """The project, for each transport."""
    project = Differing(tmp_path / "project", lab["apollo"], transport=request.param)
    project.write("a.py", "one\n")
    project.write("src/b.py", "one\n")
    assert project.push().returncode == 0
    return project


@pytest.fixture
def both(lab: Lab, ssh_home: Path, tmp_path: Path) -> Differing:
    project = Differing(tmp_path / "project", lab["apollo"], lab["enterprise"])
    project.write("a.py", "one\n")
    assert project.push().returncode == 0
    return project


def test_what_is_held_back_is_shown_as_a_diff(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    project.write("src/b.py", "two\n")  # to be pushed, and so not held back
    done = project.diff()
    assert done.returncode == 1
    name = f"apollo:{project.hosts[0].home}/dev/project/a.py"
    lines = done.stdout.splitlines()
    assert lines[0] == f"diff {name} a.py: changed on the host"
    assert lines[1].startswith(f"--- {name}\t")
    assert lines[2].startswith("+++ a.py\t")
    assert lines[3:] == ["@@ -1 +1 @@", "-there", "+here"]
    assert done.stderr == ""


def test_where_nothing_is_held_back_the_status_is_0(project: Differing) -> None:
    done = project.diff()
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing is held back" in done.stderr


def test_paths_are_shown_held_back_or_not(project: Differing) -> None:
    project.write("src/b.py", "two\n")
    assert "+two\n" in project.diff("src/b.py").stdout
    from_below = igor("-C", str(project.root / "src"), "diff", "b.py")
    assert (from_below.returncode, from_below.stdout.count(b"+two\n")) == (1, 1)
    same = project.diff("a.py")
    assert (same.returncode, same.stdout) == (0, "")
    assert "no difference" in same.stderr
    project.write("new", "")
    assert "+++ new" in project.diff("new").stdout


def test_a_folder_stands_for_what_is_held_back_in_it(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    project.held_back("src/b.py", here=b"here\n", there=b"there\n")
    assert re.findall(r"^\+\+\+ (\S+)", project.diff("src").stdout, re.M) == ["src/b.py"]
    assert re.findall(r"^\+\+\+ (\S+)", project.diff(".").stdout, re.M) == ["a.py", "src/b.py"]


def test_a_path_as_igor_names_it_is_found_from_a_folder_below(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    done = igor("-C", str(project.root / "src"), "diff", "a.py")
    assert (done.returncode, b"+here" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere exists neither locally nor on apollo"),
        (["/etc/passwd"], "/etc/passwd is not in the project"),
        (["../x"], "../x is not in the project"),
        ([".git/config"], ".git/config belongs to git"),
        (["--ours", "--theirs"], "--ours and --theirs"),
    ],
)
def test_what_cant_be_compared_is_status_2(project: Differing, words: list[str], said: str) -> None:
    done = project.diff(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_host_that_is_away_is_trouble_and_the_other_is_shown(both: Differing, lab: Lab) -> None:
    both.held_back("a.py", here=b"here\n", there=b"there\n")
    config = json.loads((both.root / ".igor/config.json").read_text())
    config["host_groups"]["dev"]["hosts"].append({"host": "nowhere.invalid", "dir": "/x"})
    both.write(".igor/config.json", json.dumps(config))
    done = both.diff()
    assert done.returncode == 2
    assert done.stdout.count("+here\n") == 2
    assert "nowhere.invalid" in done.stderr


def test_links_binary_and_missing_files_are_named(project: Differing) -> None:
    project.write("data", b"\0one")
    project.write("gone", "pushed\n")
    project.push()
    project.held_back("data", here=b"\0two", there=b"\0three")
    (project.there(project.hosts[0]) / "gone").write_text("changed there\n")
    (project.root / "gone").unlink()
    project.there(project.hosts[0]).joinpath("src/b.py").unlink()
    project.there(project.hosts[0]).joinpath("src/b.py").symlink_to("../a.py")
    shown = project.diff().stdout
    assert "-binary file, 6 bytes" in shown
    assert "+binary file, 4 bytes" in shown
    assert "gone: deleted locally, but changed on the host\n" in shown
    assert "+++ /dev/null\t(gone: does not exist)\n@@ -1 +0,0 @@\n-changed there\n" in shown
    assert "-link to ../a.py\n" in shown


def test_nothing_is_read_through_a_link_on_the_host(project: Differing, tmp_path: Path) -> None:
    there = project.there(project.hosts[0])
    secret = project.hosts[0].path("secret")
    secret.mkdir(exist_ok=True)
    (secret / "b.py").write_text("outside\n")
    (there / "src").rename(there / "was")
    (there / "src").symlink_to(f"{project.hosts[0].home}/secret")
    done = project.diff("src/b.py")
    assert "outside" not in done.stdout
    assert "b.py: src is not a folder on the host\n" in done.stdout
    assert project.diff("--theirs", "src/b.py").returncode == 2
    assert project.diff("--ours", "src/b.py").returncode == 2
    assert (secret / "b.py").read_text() == "outside\n"
    assert (project.root / "src/b.py").read_text() == "one\n"


def test_json_has_the_text_and_the_facts(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    done = project.diff("--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    text = "".join(line["data"] for line in lines if line["type"] == "output")
    assert text.endswith("-there\n+here\n")
    assert "\x1b" not in text
    (found,) = lines[-1]["data"]
    assert (found["host"], found["path"], found["why"]) == (
        "apollo", "a.py", "changed on the host",
    )  # fmt: skip
    assert (found["there"]["size"], found["here"]["size"]) == (6, 5)
    assert "content" not in found["here"]
    assert (lines[-1]["status"], done.returncode) == (1, 1)


# --ours


def test_ours_overwrites_just_the_named_path(either: Differing) -> None:
    a = either.held_back("a.py", here=b"here\n", there=b"there\n")
    b = either.held_back("src/b.py", here=b"here\n", there=b"there\n")
    done = either.diff("--ours", "a.py")
    assert done.returncode == 0, done.stderr
    assert "host updated: a.py" in done.stderr
    assert (a.read_bytes(), b.read_bytes()) == (b"here\n", b"there\n")
    assert either.push().returncode == 1
    assert either.diff("--ours", "--yes").returncode == 0
    assert b.read_bytes() == b"here\n"
    assert either.push().returncode == 0


def test_ours_deletes_there_what_was_deleted_here(either: Differing) -> None:
    a = either.held_back("a.py", here=b"here\n", there=b"there\n")
    (either.root / "a.py").unlink()
    assert either.push().returncode == 1
    assert either.diff("--ours", "a.py").returncode == 0
    assert not a.exists()


def test_ours_overwrites_what_igor_never_wrote(project: Differing) -> None:
    (project.there(project.hosts[0]) / "new").write_text("there already\n")
    project.write("new", "mine\n")
    assert project.push().returncode == 1
    assert project.diff("--ours", "new").returncode == 0
    assert (project.there(project.hosts[0]) / "new").read_text() == "mine\n"


def test_ours_leaves_alone_what_igor_has_no_part_in(project: Differing) -> None:
    there = project.there(project.hosts[0])
    (there / "results.csv").write_text("of a program\n")
    (there / "ignored").write_text("there\n")
    project.write(".igor/ignore", "ignored\n")
    project.write("ignored", "here\n")
    done = project.diff("--ours", "results.csv", "ignored")
    assert done.returncode == 2
    assert "results.csv: no local file, and igor never pushed it" in done.stderr
    assert "ignored: igor does not push it" in done.stderr
    assert project.push().returncode == 0
    assert (there / "results.csv").exists()
    assert (there / "ignored").read_text() == "there\n"
    # The other direction concerns the local machine alone.
    assert project.diff("--theirs", "results.csv", "ignored").returncode == 0
    assert (project.root / "results.csv").read_text() == "of a program\n"
    assert (project.root / "ignored").read_text() == "there\n"


def test_ours_never_overwrites_a_version_that_nobody_saw(either: Differing) -> None:
    a = either.held_back("a.py", here=b"here\n", there=b"there\n")
    assert either.diff().returncode == 1
    a.write_bytes(b"changed again\n")
    done = either.diff("--ours", "a.py")
    assert done.returncode == 2
    assert "changed on the host since you looked" in done.stderr
    assert a.read_bytes() == b"changed again\n"
    igor("agent", "stop")  # what the user has seen outlives the agent
    assert either.diff("--ours", "--yes").returncode == 2
    assert either.diff().returncode == 1
    assert either.diff("--ours", "a.py").returncode == 0
    assert a.read_bytes() == b"here\n"


def test_what_isnt_named_needs_a_person_or_yes(project: Differing) -> None:
    a = project.held_back("a.py", here=b"here\n", there=b"there\n")
    for side in ("--ours", "--theirs"):
        done = project.diff(side)
        assert done.returncode == 2
        assert "--yes" in done.stderr
    assert (a.read_bytes(), (project.root / "a.py").read_bytes()) == (b"there\n", b"here\n")


def test_a_person_is_asked_and_may_say_no(project: Differing) -> None:
    a = project.held_back("a.py", here=b"here\n", there=b"there\n")
    for keys, status, content in (("n\n", 2, b"there\n"), ("y\n", 0, b"here\n")):
        terminal = Terminal("diff", "--ours", cwd=project.root)
        terminal.wait_for("overwrite the versions on apollo with the local ones: a.py? [y/N]")
        terminal.type(keys)
        assert terminal.end() == status
        assert a.read_bytes() == content


# --theirs


def test_theirs_replaces_the_local_file_and_keeps_its_bytes(either: Differing) -> None:
    either.held_back("a.py", here=b"here\n", there=b"there\n")
    done = either.diff("--theirs", "a.py")
    assert done.returncode == 0, done.stderr
    assert (either.root / "a.py").read_bytes() == b"there\n"
    (kept,) = Path(os.environ["XDG_STATE_HOME"]).glob("igor/replaced/project/*/a.py")
    assert kept.read_bytes() == b"here\n"
    assert f"a.py: the local version was saved to {kept}" in done.stderr
    again = either.push()
    assert again.returncode == 0
    assert "nothing to send" in again.stderr


def test_theirs_brings_back_what_was_deleted_here(project: Differing) -> None:
    project.held_back("src/b.py", here=b"here\n", there=b"there\n")
    subprocess.run(["rm", "-r", project.root / "src"], check=True)
    assert project.push().returncode == 1
    assert project.diff("--theirs", "--yes").returncode == 0
    assert (project.root / "src/b.py").read_bytes() == b"there\n"
    assert project.push().returncode == 0


def test_theirs_leaves_alone_what_changed_here_since_it_was_shown(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    project.diff()
    project.write("a.py", "edited after looking\n")
    done = project.diff("--theirs", "a.py")
    assert done.returncode == 2
    assert "changed locally since you looked" in done.stderr
    assert (project.root / "a.py").read_text() == "edited after looking\n"


def test_theirs_of_a_large_file_and_of_a_link(project: Differing) -> None:
    there = project.there(project.hosts[0])
    project.write("large", "small\n")
    project.push()
    content = os.urandom(1 << 20) * 6
    project.held_back("large", here=b"mine\n", there=content)
    (there / "a.py").unlink()
    (there / "a.py").symlink_to("src/b.py")
    assert project.diff("--theirs", "--yes").returncode == 0
    assert (project.root / "large").read_bytes() == content
    assert os.readlink(project.root / "a.py") == "src/b.py"
    assert project.push().returncode == 0


def test_theirs_of_a_huge_file_is_left_to_the_person(project: Differing) -> None:
    project.push()
    there = project.there(project.hosts[0])
    project.held_back("a.py", here=b"mine\n", there=b"x")
    os.truncate(there / "a.py", 1100 << 20)
    done = project.diff("--theirs", "--yes")
    assert done.returncode == 2
    assert "larger than 1 GB on the host; fetch it yourself" in done.stderr
    assert (project.root / "a.py").read_bytes() == b"mine\n"


def test_theirs_of_a_host_that_sends_for_ever_ends(project: Differing) -> None:
    project.push()
    project.held_back("a.py", here=b"mine\n", there=bytes(5 << 20))
    lie = '#!/bin/sh\ncase "$*" in *a.py) exec yes ;; *) exec /usr/bin/{} "$@" ;; esac\n'
    host = project.hosts[0]
    with program(host, "head", lie.format("head")), program(host, "cat", lie.format("cat")):
        done = project.diff("--theirs", "--yes")
    assert done.returncode == 2
    assert "it has grown on the host since it was compared" in done.stderr
    assert (project.root / "a.py").read_bytes() == b"mine\n"


def test_theirs_of_two_hosts_needs_one_to_be_named(both: Differing) -> None:
    apollo, enterprise = both.hosts
    both.held_back("a.py", here=b"here\n", there=b"apollo\n", host=apollo)
    both.held_back("a.py", here=b"here\n", there=b"enterprise\n", host=enterprise)
    done = both.diff("--theirs", "a.py")
    assert done.returncode == 2
    assert "--host apollo" in done.stderr
    assert (both.root / "a.py").read_bytes() == b"here\n"
    assert both.diff("--theirs", "--host", "enterprise", "a.py").returncode == 0
    assert (both.root / "a.py").read_bytes() == b"enterprise\n"


def test_theirs_that_is_the_same_on_two_hosts_is_taken_once(both: Differing) -> None:
    both.held_back("a.py", here=b"here\n", there=b"there\n")
    assert both.diff("--theirs", "--yes").returncode == 0
    assert (both.root / "a.py").read_bytes() == b"there\n"
    assert len(list(Path(os.environ["XDG_STATE_HOME"]).glob("igor/replaced/project/*/*"))) == 1
    assert both.push().returncode == 0


# The terminal.


def test_on_a_terminal_it_is_coloured_and_goes_through_the_pager(
    project: Differing, tmp_path: Path
) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "LESS=$LESS"; cat; echo "end of pager" \n')
    pager.chmod(0o755)
    terminal = Terminal("diff", cwd=project.root, env=environment(PAGER=str(pager)))
    assert terminal.end() == 1
    assert b"LESS=FRX" in terminal.screen
    assert b"\x1b[32m+here\x1b[0m" in terminal.screen
    assert terminal.screen.rstrip().endswith(b"end of pager")
    plain = Terminal("diff", "--no-pager", cwd=project.root, env=environment(PAGER=str(pager)))
    assert plain.end() == 1
    assert b"LESS" not in plain.screen
    assert b"\x1b[32m+here\x1b[0m" in plain.screen


def test_leaving_the_pager_early_ends_the_job(project: Differing) -> None:
    lines = b"".join(b"line %d\n" % n for n in range(300_000))
    project.held_back("a.py", here=b"here\n", there=lines)
    terminal = Terminal("diff", cwd=project.root, env=environment(PAGER="head -n 5 | tail -n 1"))
    assert terminal.end() == 1
    assert b"-line 0\x1b[0m" in terminal.screen
    assert b"line 7" not in terminal.screen


def test_a_missing_pager_is_no_obstacle(project: Differing) -> None:
    project.held_back("a.py", here=b"here\n", there=b"there\n")
    terminal = Terminal("diff", cwd=project.root, env=environment(PAGER="no-such-pager"))
    assert terminal.end() == 1
    assert b"+here" in terminal.screen


def test_a_push_names_diff_first_and_its_paths_are_completed(project: Differing) -> None:
    project.held_back("src/b.py", here=b"here\n", there=b"there\n")
    pushed = project.push()
    assert pushed.stderr.index("igor diff") < pushed.stderr.index("igor push --force")
    done = igor("__complete", "--", "diff", "--ours", "s", cwd=project.root)
    assert done.stdout == b"src/b.py\n"
    done = igor("__complete", "--", "diff", "x", cwd=project.root)
    assert done.stdout == b":files\n"
