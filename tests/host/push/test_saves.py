"""Saves: every host gets what an editor has written, and the agent reports how fresh each is."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core import directories
from tests.lab import Host, Lab
from tests.support.agent_client import kill_agent, wait_until
from tests.support.following import Editor, FollowedProject, is_fresh, of

MEGABYTE = 1 << 20


@pytest.fixture
def hosts(lab: Lab, ssh_home: Path) -> list[Host]:
    return [lab["apollo"], lab["enterprise"]]


@pytest.fixture
def project(hosts: list[Host], tmp_path: Path) -> Iterator[FollowedProject]:
    made = FollowedProject(tmp_path / "project", hosts)
    made.write("main.py", "print(1)")
    made.write("sub/other.py", "old")
    yield made
    print(directories.log_path().read_text())
    assert "Traceback" not in directories.log_path().read_text()


@pytest.fixture
def editor(project: FollowedProject) -> Editor:
    """An editor with the trusted project open, whose hosts have all files."""
    project.trust()
    made = Editor(project)
    made.until_fresh()
    project.all_arrives()
    return made


# -- what arrives


def test_a_save_is_on_every_host_as_it_is_here(project: FollowedProject, editor: Editor) -> None:
    path = project.write("main.py", "print(2)", 0o755)
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    editor.save("main.py")
    project.arrives("main.py")
    editor.until_fresh()


def test_several_files_of_one_save_arrive(project: FollowedProject, editor: Editor) -> None:
    names = [f"pkg/{number}/new.py" for number in range(20)]
    for name in names:
        project.write(name, name)
    editor.save("main.py", *names)
    project.arrives("main.py", *names)


def test_what_does_not_belong_to_the_tree_is_not_sent(
    project: FollowedProject, editor: Editor
) -> None:
    project.write(".gitignore", "*.log\n")
    for name in ("a.log", ".git/description", "../outside", "later.py"):
        project.write(name, "secret")
    editor.save(".gitignore")
    editor.save("a.log", ".git/description", "../outside", "/etc/hostname", "", "no/such/file")
    editor.save("later.py")
    project.arrives("later.py", ".gitignore")
    editor.until_fresh()
    for tree in project.trees():
        assert not {"a.log", ".git", "etc"} & {path.name for path in tree.iterdir()}
        assert not (tree.parent / "outside").exists()


def test_deletes_and_renames_arrive_by_a_look(project: FollowedProject, editor: Editor) -> None:
    (project.root / "main.py").rename(project.root / "renamed.py")
    (project.root / "sub/other.py").unlink()
    (project.root / "sub").rmdir()
    editor.look()
    project.arrives("main.py", "renamed.py", "sub/other.py")
    project.is_gone("sub")


def test_a_file_that_is_deleted_arrives_as_a_save_of_it(
    project: FollowedProject, editor: Editor
) -> None:
    (project.root / "main.py").unlink()
    editor.save("main.py")
    project.arrives("main.py")
    editor.until_fresh()


def test_a_file_of_any_kind_arrives(project: FollowedProject, editor: Editor) -> None:
    project.write("binary", os.urandom(100_000))
    project.write("big", os.urandom(5 * MEGABYTE))
    project.write("huge", os.urandom(12 * MEGABYTE))
    project.write("empty", b"")
    (project.root / "link").symlink_to("main.py")
    os.mkfifo(project.root / "fifo")
    project.write("n\u00e4me with spaces", "x")
    latin = os.fsdecode(b"latin-\xe4")
    project.write(latin, "x")
    names = ["binary", "big", "huge", "empty", "link", "n\u00e4me with spaces", latin]
    editor.save("fifo", *(os.fsencode(name) for name in names))
    project.arrives(*names)
    with (project.root / "big").open("r+b") as stream:
        stream.seek(2 * MEGABYTE)
        stream.write(b"changed")
    editor.save("big")
    project.arrives("big")
    editor.until_fresh()


def test_a_save_through_a_link_arrives_where_the_link_points(
    project: FollowedProject, editor: Editor
) -> None:
    (project.root / "alias").symlink_to("sub")
    (project.root / "alias.py").symlink_to("main.py")
    editor.look()
    project.arrives("alias", "alias.py")
    project.write("alias/other.py", "by the link")
    project.write("alias.py", "by the other")
    editor.save("alias/other.py", "alias.py")
    project.arrives("sub/other.py", "main.py")


def test_types_may_change(project: FollowedProject, editor: Editor) -> None:
    (project.root / "main.py").unlink()
    project.write("main.py/inside", "a folder now")
    (project.root / "sub/other.py").unlink()
    (project.root / "sub").rmdir()
    project.write("sub", "a file now")
    editor.save("main.py/inside", "sub")
    project.arrives("main.py/inside", "sub")
    (project.root / "sub").unlink()
    (project.root / "sub").symlink_to("main.py")
    editor.save("sub")
    project.arrives("sub")
    editor.until_fresh()


# -- trust, and the config


def test_nothing_happens_in_a_project_that_is_not_trusted(project: FollowedProject) -> None:
    editor = Editor(project, push_on_write=True)
    assert not editor.event["trusted"]
    editor.save("main.py")
    editor.look()
    time.sleep(0.5)
    assert editor.states() == ["not connected"] * 2
    assert [tree.exists() for tree in project.trees()] == [False, False]
    project.trust()
    assert editor.until_fresh()["trusted"]
    project.all_arrives()
    assert project.call("trust", revoke=True)["status"] == 0
    editor.until(lambda event: not event["trusted"])
    project.write("main.py", "after")
    editor.save("main.py")
    time.sleep(0.3)
    assert (project.trees()[0] / "main.py").read_text() == "print(1)"


def test_without_push_on_write_a_look_pushes_nothing(project: FollowedProject) -> None:
    project.configure()
    project.trust()
    editor = Editor(project)
    editor.until(lambda event: all(host["state"] == "stale" for host in event["hosts"]))
    assert not editor.event["push_on_write"]
    editor.look()
    time.sleep(0.3)
    assert not any((tree / "main.py").exists() for tree in project.trees())
    assert project.call("push")["status"] == 0
    editor.until_fresh()
    project.write("main.py", "changed")
    editor.look()
    told = editor.until(lambda event: not is_fresh(event))
    assert [(host["state"], host["pending"]) for host in told["hosts"]] == [("stale", 1)] * 2
    assert (project.trees()[0] / "main.py").read_text() == "print(1)"
    # The option of one editor is enough.
    other = Editor(project, push_on_write=True)
    assert other.until_fresh()["push_on_write"]
    project.arrives("main.py")
    assert editor.until_fresh()["push_on_write"]


def test_an_editor_s_option_goes_before_the_config(project: FollowedProject) -> None:
    project.trust()
    editor = Editor(project, push_on_write=False)
    editor.until(lambda event: all(host["state"] == "stale" for host in event["hosts"]))
    assert not editor.event["push_on_write"]
    editor.look()
    time.sleep(0.3)
    assert not any((tree / "main.py").exists() for tree in project.trees())


def test_a_config_that_is_edited_counts_from_its_save(
    project: FollowedProject, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    project.configure(push_on_write=True, hosts=[apollo])
    project.trust()
    editor = Editor(project)
    editor.until_fresh()
    project.configure(push_on_write=True, hosts=[enterprise], exclude=["sub/"])
    editor.save(".igor/config.json")
    told = editor.until(lambda event: not event["trusted"])
    assert [host["host"] for host in told["hosts"]] == ["enterprise"]
    project.write("main.py", "while it is not trusted")
    editor.save("main.py")
    time.sleep(0.3)
    assert (project.on(apollo) / "main.py").read_text() == "print(1)"
    project.trust()
    editor.until_fresh()
    project.arrives("main.py", hosts=[enterprise])
    assert not (project.on(enterprise) / "sub").exists()
    assert (project.on(apollo) / "main.py").read_text() == "print(1)"


def test_files_that_a_config_excludes_go_where_they_had_been_pushed(
    project: FollowedProject, editor: Editor
) -> None:
    project.configure(push_on_write=True, exclude=["sub/"])
    editor.save(".igor/config.json")
    editor.until(lambda event: not event["trusted"])
    project.trust()
    project.is_gone("sub/other.py")
    editor.until_fresh()


def test_a_mistake_in_the_config_is_told_and_healed(
    project: FollowedProject, editor: Editor
) -> None:
    whole = (project.root / ".igor/config.json").read_text()
    project.write(".igor/config.json", whole.replace('"user"', '"usr"'))
    editor.save(".igor/config.json")
    told = editor.until(lambda event: event["error"])
    assert "usr" in told["error"]
    assert told["hosts"] == []
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.write(".igor/config.json", whole)
    editor.save(".igor/config.json")
    assert editor.until_fresh()["error"] == ""
    project.arrives("main.py")


def test_a_project_that_is_gone_and_comes_back(project: FollowedProject, editor: Editor) -> None:
    away = project.root.with_name("away")
    project.root.rename(away)
    editor.look()
    assert editor.until(lambda event: event["error"])["hosts"] == []
    away.rename(project.root)
    project.write("main.py", "back")
    editor.look()
    editor.until_fresh()
    project.arrives("main.py")


# -- agents and editors come and go


def test_what_was_saved_without_an_agent_arrives(project: FollowedProject) -> None:
    project.configure()
    project.trust()
    kill_agent()
    project.write("main.py", "while no agent ran")
    line = os.fsencode(project.root) + b"\0main.py\n"
    directories.unsent_path().write_bytes(line + b"/no/such/project\0x.py\nnonsense\n")
    Editor(project, watch=False)
    project.arrives("main.py")
    assert not directories.unsent_path().exists()


def test_a_save_survives_the_agent(project: FollowedProject, editor: Editor) -> None:
    for turn in range(3):
        project.write("main.py", f"turn {turn}")
        editor.save("main.py")
        time.sleep(0.001 * turn)
        kill_agent()
        editor = Editor(project)
        project.arrives("main.py")
    editor.until_fresh()


def test_an_editor_that_ends_with_its_save_has_delivered_it(project: FollowedProject) -> None:
    project.configure()
    project.trust()
    for turn in range(10):
        project.write("main.py", f"turn {turn}")
        editor = Editor(project, push_on_write=True)
        editor.save("main.py")
        editor.close()
        project.arrives("main.py")


def test_two_editors_are_told_the_same(project: FollowedProject, editor: Editor) -> None:
    other = Editor(project)
    other.until_fresh()
    project.write("main.py", "by one")
    project.write("sub/other.py", "by the other")
    editor.save("main.py")
    other.save("sub/other.py")
    project.arrives("main.py", "sub/other.py")
    editor.close()
    project.write("main.py", "by the one that stays")
    other.save("main.py")
    project.arrives("main.py")
    other.until_fresh()


# -- order


def test_a_save_does_not_wait_for_a_push_that_runs(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    kill_agent()
    for host in hosts:
        host.delay(100)
    editor = Editor(project)
    editor.until_fresh()
    for number in range(60):
        project.write(f"data/{number}", os.urandom(MEGABYTE))
    pushing = threading.Thread(target=project.call, args=("push",))
    pushing.start()
    wait_until(lambda: any((tree / "data").exists() for tree in project.trees()))
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.arrives("main.py")
    assert pushing.is_alive()
    pushing.join()
    editor.until_fresh()
    project.all_arrives()


def test_a_save_does_not_wait_for_the_first_push(
    project: FollowedProject, hosts: list[Host]
) -> None:
    for host in hosts:
        host.delay(100)
    for number in range(60):
        project.write(f"data/{number}", os.urandom(MEGABYTE))
    project.trust()
    editor = Editor(project)
    wait_until(lambda: any((tree / "data").exists() for tree in project.trees()))
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.arrives("main.py")
    assert not any((tree / "data/59").exists() for tree in project.trees())
    editor.until_fresh()
    project.all_arrives()


def test_the_last_of_many_saves_wins_and_none_comes_after_a_later_one(
    project: FollowedProject, editor: Editor
) -> None:
    seen: list[list[int]] = [[], []]
    done = threading.Event()

    def look() -> None:
        is_last = False
        while not is_last:
            is_last = done.is_set()
            for tree, contents in zip(project.trees(), seen, strict=True):
                contents.append(int((tree / "count").read_text()))

    write_beside(project, "count", "0")
    editor.save("count")
    project.arrives("count")
    looking = threading.Thread(target=look)
    looking.start()
    for number in range(1, 51):
        write_beside(project, "count", f"{number}")
        editor.save("count")
        time.sleep(0.002 * (number % 3))
    project.arrives("count")
    done.set()
    looking.join()
    for contents in seen:
        assert contents == sorted(contents)
        assert contents[-1] == 50
    editor.until_fresh()


def write_beside(project: FollowedProject, name: str, content: str) -> None:
    """Write as editors do: nobody ever sees an empty file."""
    project.write(".git/beside", content).rename(project.root / name)


def test_a_write_that_hides_behind_the_time_of_another_arrives(
    project: FollowedProject, editor: Editor
) -> None:
    for turn in range(5):
        path = project.write("main.py", f"first {turn}")
        mtime = path.stat().st_mtime_ns
        editor.save("main.py")
        time.sleep(0.004)
        path.write_text(f"other {turn}")
        os.utime(path, ns=(mtime, mtime))
        project.arrives("main.py")
    editor.until_fresh()


# -- conflicts


def test_what_was_changed_on_a_host_is_kept_and_named_and_the_rest_goes_on(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    project.write_there(apollo, "main.py", "theirs")
    project.write("main.py", "ours")
    project.write("sub/other.py", "goes on")
    editor.save("main.py", "sub/other.py")
    project.arrives("sub/other.py")
    project.arrives("main.py", hosts=[enterprise])
    told = editor.until(lambda event: of(event, "apollo")["held_back"] == ["main.py"])
    assert of(told, "enterprise")["held_back"] == []
    assert (project.on(apollo) / "main.py").read_text() == "theirs"
    project.write("main.py", "ours, again")
    editor.save("main.py")
    project.arrives("main.py", hosts=[enterprise])
    told = editor.until_fresh()
    assert of(told, "apollo")["held_back"] == ["main.py"]
    assert project.call("push", overwrite=True)["status"] == 0
    editor.until(lambda event: of(event, "apollo")["held_back"] == [])
    project.arrives("main.py")


def test_a_forced_push_overwrites_what_was_just_saved_too(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    for turn in range(5):
        project.write_there(hosts[0], "main.py", "theirs")
        project.write("main.py", f"ours {turn}")
        editor.save("main.py")
        assert project.call("push", overwrite=True)["status"] == 0
        assert (project.on(hosts[0]) / "main.py").read_text() == f"ours {turn}"
        editor.until(lambda event: of(event, "apollo")["held_back"] == [])


def test_an_empty_folder_on_a_host_gives_way_to_a_file(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    for host in hosts:
        host.run(["mkdir", "-p", "dev/project/a", "dev/project/b/inner"], check=True)
    project.write("a", "a file")
    project.write("b", "a file")
    editor.save("a", "b")
    project.arrives("a")
    told = editor.until(lambda event: all(host["held_back"] == ["b"] for host in event["hosts"]))
    assert told["hosts"]
    assert all((tree / "b/inner").is_dir() for tree in project.trees())


def test_a_conflict_ends_where_both_have_the_same(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    project.write_there(hosts[0], "main.py", "the same")
    project.write("main.py", "different")
    editor.save("main.py")
    editor.until(lambda event: of(event, "apollo")["held_back"] == ["main.py"])
    project.write("main.py", "the same")
    editor.save("main.py")
    editor.until(lambda event: of(event, "apollo")["held_back"] == [])


def test_a_new_file_never_replaces_one_of_the_host(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    project.write_there(hosts[0], "results.csv", "hours of work")
    project.write("results.csv", "new here")
    editor.save("results.csv")
    editor.until(lambda event: of(event, "apollo")["held_back"] == ["results.csv"])
    assert (project.on(hosts[0]) / "results.csv").read_text() == "hours of work"
    (project.root / "results.csv").unlink()
    editor.save("results.csv")
    editor.until(lambda event: of(event, "apollo")["held_back"] == [])
    assert (project.on(hosts[0]) / "results.csv").read_text() == "hours of work"


def test_many_deletes_wait_for_a_person_and_nothing_else_does(
    project: FollowedProject, editor: Editor
) -> None:
    names = [f"many/{number}" for number in range(60)]
    for name in names:
        project.write(name)
    editor.look()
    project.arrives(*names)
    editor.until_fresh()
    # As `git checkout` of another branch.
    for name in names:
        (project.root / name).unlink()
    project.write("main.py", "of the other branch")
    project.write("new.py", "of the other branch")
    editor.look()
    told = editor.until(lambda event: all(len(h["held_back"]) == 60 for h in event["hosts"]))
    assert [host["error"] for host in told["hosts"]] == ["", ""]
    project.arrives("main.py", "new.py")
    assert len(list((project.trees()[0] / "many").iterdir())) == 60
    reasons = project.call("push")["results"][0]["text"]
    assert "would delete 60 of the" in reasons
    project.write("main.py", "goes on")
    editor.save("main.py")
    project.arrives("main.py")
    assert project.call("push", allow_deletes=True)["status"] == 0
    editor.until_fresh()
    project.all_arrives()


def test_status_tells_what_the_editor_is_told(project: FollowedProject, editor: Editor) -> None:
    told = project.call("status")["data"]["hosts"]
    assert [(host["state"], host["pending"]) for host in told] == [("fresh", 0)] * 2
    project.write_there(project.hosts[0], "main.py", "theirs")
    project.write("main.py", "ours")
    editor.save("main.py")
    editor.until(lambda event: of(event, "apollo")["held_back"])
    told = project.call("status")["data"]["hosts"]
    assert [host["held_back"] for host in told] == [["main.py"], []]


def test_what_an_agent_that_stops_has_not_sent_is_for_the_next_one(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    hosts[0].cut()
    project.write("main.py", "print(3)")
    editor.save("main.py")
    editor.until(lambda event: of(event, "enterprise")["state"] == "fresh")
    assert project.call("agent-stop")["status"] == 0
    wait_until(lambda: directories.unsent_path().exists())
    assert directories.unsent_path().read_bytes().endswith(b"project\0main.py\n")
    hosts[0].heal()
    project.call("jobs")
    project.arrives("main.py")
