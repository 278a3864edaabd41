"""The receiver's rules, each against a real file system: what it does, and what it refuses."""

import hashlib
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.push.channel import payloads
from igor_core.push.channel.answers import read_answer
from igor_core.push.channel.precondition import ANYTHING, NOTHING, Precondition, Version
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest, pack_paths
from igor_core.remote import frames as program_frames
from igor_core.remote.frames import HEADER
from igor_core.remote.receiver import frames
from tests.support.pythons import pythons, version
from tests.support.receiving import (
    MTIME,
    Ended,
    Receiver,
    changed_source,
    entries,
    expecting,
    receiver,
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver with the tree `tmp_path`/p open as number 1."""
    with receiver() as made:
        assert made.open(tmp_path)["exists"]
        yield made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "p"


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def temp_files(base: Path) -> list[Path]:
    private = (base / ".igor-host" / "tmp").rglob("*")
    beside = (base / "p").rglob(".igor-host*")
    return [path for path in [*private, *beside] if not path.is_dir()]


# -- writing


def test_a_file_is_there_whole_with_mode_and_time_and_its_folders(
    host: Receiver, tree: Path
) -> None:
    answer = host.write("a/b/c.py", b"content", mode=0o750)
    about = (tree / "a/b/c.py").lstat()
    assert (tree / "a/b/c.py").read_bytes() == b"content"
    assert (stat.S_IMODE(about.st_mode), about.st_mtime_ns) == (0o750, MTIME)
    assert answer.ok
    assert answer.state == State("f", 7, MTIME, 0o750)
    assert temp_files(tree.parent) == []


def test_an_empty_file_is_a_file(host: Receiver, tree: Path) -> None:
    assert host.write("empty", b"").ok
    assert (tree / "empty").read_bytes() == b""


@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"new\nline", b"-rf", b" ", b"$(id)`'\"\\", "日本/ü".encode(), b"x" * 255]
)
def test_any_name_will_do(host: Receiver, tree: Path, name: bytes) -> None:
    assert host.write(name, b"1").ok
    assert entries(tree)[name] == b"1"
    asked = SurveyRequest.of([name], {})
    assert set(host.survey(asked)) == {name}
    assert host.hashes(name) == {name: sha256(b"1")}
    assert host.delete(name, ANYTHING).ok
    assert entries(tree) == {}


@pytest.mark.parametrize(
    "name", [b"", b"/etc/x", b"../x", b"a/../../x", b"a//b", b"a/", b"./x", b".", b"..", b"a\0b"]
)
def test_no_name_leads_out_of_the_tree(host: Receiver, tree: Path, name: bytes) -> None:
    for answer in (host.write(name), host.delete(name, ANYTHING), host.link(name, b"x")):
        assert (answer.ok, answer.reason) == (False, "Invalid argument")
    assert sorted(path.name for path in tree.parent.iterdir()) == [".igor-host", "p"]


def test_the_owners_group_and_a_folders_group_are_kept(host: Receiver, tree: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files to any group")
    (tree / "shared").mkdir()
    os.chown(tree / "shared", -1, 4242)
    (tree / "shared").chmod(0o2775)
    host.write("shared/new")
    assert (tree / "shared/new").stat().st_gid == 4242
    (tree / "old").write_text("old")
    os.chown(tree / "old", -1, 4243)
    assert host.write("old", b"new", expecting(tree / "old")).ok
    assert (tree / "old").stat().st_gid == 4243


# -- expectations


def test_what_is_there_unexpectedly_stays_and_is_told(host: Receiver, tree: Path) -> None:
    (tree / "x").write_bytes(b"theirs")
    before = entries(tree)
    answer = host.write("x", b"ours")
    assert (answer.ok, answer.reason, answer.hash) == (False, "", sha256(b"theirs"))
    assert answer.state
    assert (answer.state.kind, answer.state.size) == ("f", 6)
    wrong = Precondition(versions=(Version(6, 1, sha256(b"others")), Version(5, 2, b"")))
    assert not host.write("x", b"ours", wrong).ok
    assert not host.delete("x", wrong).ok
    assert not host.link("x", b"ours", wrong).ok
    assert entries(tree) == before
    assert temp_files(tree.parent) == []


def test_size_and_time_or_the_content_are_enough(host: Receiver, tree: Path) -> None:
    path = tree / "x"
    path.write_bytes(b"theirs")
    assert host.write("x", b"1", expecting(path)).ok
    os.utime(path, ns=(5, 5))
    touched = Precondition(versions=(Version(7, 7), Version(1, MTIME, sha256(b"1"))))
    assert host.write("x", b"2", touched).ok
    assert path.read_bytes() == b"2"
    os.utime(path, ns=(5, 5))
    assert host.delete("x", Precondition(versions=(Version(1, MTIME, sha256(b"2")),))).ok
    assert not path.exists()


def test_nothing_there_is_refused_where_a_file_is_expected(host: Receiver, tree: Path) -> None:
    gone = Precondition(versions=(Version(1, 1),))
    for name in ("x", "no/folder/x"):
        answer = host.write(name, b"1", gone)
        assert (answer.ok, answer.state, answer.reason) == (False, None, "")
    assert entries(tree) == {}
    assert list(tree.iterdir()) == []
    either = Precondition(absent=True, versions=(Version(1, 1),))
    assert host.write("x", b"1", either).ok


def test_equal_content_that_nobody_expected_stays_as_it_is_but_for_the_x_bit(
    host: Receiver, tree: Path
) -> None:
    path = tree / "x"
    path.write_bytes(b"same")
    path.chmod(0o600)
    os.utime(path, ns=(5, 5))
    number = path.stat().st_ino
    assert host.write("x", b"same").state == State("f", 4, 5, 0o600)
    assert host.write("x", b"same", mode=0o755).state == State("f", 4, 5, 0o755)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (number, 5)


def test_force_overwrites_anything_but_a_folder(host: Receiver, tree: Path) -> None:
    (tree / "file").write_bytes(b"theirs")
    (tree / "link").symlink_to("file")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tree / "socket"))
    (tree / "folder").mkdir()
    for name in ("fifo", "socket"):
        answer = host.write(name)
        assert answer.state
        assert (answer.ok, answer.state.kind) == (False, name[0].replace("f", "p"))
    for name in ("file", "link", "fifo", "socket", "none"):
        assert host.write(name, name.encode(), ANYTHING).ok
        assert (tree / name).read_bytes() == name.encode()
        assert not (tree / name).is_symlink()
    answer = host.write("folder", b"1", ANYTHING)
    assert answer.state
    assert (answer.ok, answer.state.kind) == (False, "d")
    assert not host.delete("folder", ANYTHING).ok
    assert (tree / "folder").is_dir()


# -- links


def test_a_link_is_made_replaced_and_deleted_as_a_link(host: Receiver, tree: Path) -> None:
    outside = tree.parent / "outside"
    outside.write_bytes(b"outside")
    assert host.link("l", b"../outside").state == State("l", 10, MTIME, 0o777, b"../outside")
    assert not host.link("l", b"elsewhere").ok
    assert host.write("l", b"1", Precondition(targets=(b"other", b"../outside"))).ok
    assert outside.read_bytes() == b"outside"
    assert host.link("l", b"../outside", expecting(tree / "l")).ok
    assert host.delete("l", expecting(tree / "l")).ok
    assert outside.read_bytes() == b"outside"


def test_no_link_above_is_followed(host: Receiver, tree: Path) -> None:
    outside = tree.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "x").write_bytes(b"outside")
    (tree / "real").mkdir()
    (tree / "real" / "l").symlink_to(outside)
    before = entries(outside)
    for name in ("real/l/x", "real/l/new", "real/l/deep/new"):
        for answer in (host.write(name, b"1", ANYTHING), host.link(name, b"x", ANYTHING),
                       host.delete(name, ANYTHING, b"real/l/deep", b"real/l")):  # fmt: skip
            assert not answer.ok
            assert (answer.reason, answer.obstacle) == ("Not a directory", b"real/l")
    assert entries(outside) == before
    assert (outside / "deep").is_dir()
    found = host.survey(SurveyRequest.of([b"real", b"real/l", b"real/l/x"], {}))
    assert {path: state and state.kind for path, state in found.items()} == {
        b"real": "d",
        b"real/l": "l",
    }
    assert host.hashes(b"real/l/x", b"real/l") == {}


def test_a_folder_that_becomes_a_link_between_two_saves_is_not_followed(
    host: Receiver, tree: Path
) -> None:
    outside = tree.parent / "outside"
    outside.mkdir()
    assert host.write("d/x", b"1").ok
    (tree / "d").rename(tree / "moved")
    (tree / "d").symlink_to(outside)
    assert not host.write("d/x", b"2", ANYTHING).ok
    (tree / "d").unlink()
    assert host.write("d/x", b"3").ok
    assert (tree / "d/x").read_bytes() == b"3"
    assert (tree / "moved/x").read_bytes() == b"1"
    assert list(outside.iterdir()) == []


def test_a_file_above_is_named_as_the_obstacle(host: Receiver, tree: Path) -> None:
    (tree / "a").write_bytes(b"theirs")
    answer = host.write("a/b/c")
    assert (answer.reason, answer.obstacle) == ("Not a directory", b"a")
    assert (tree / "a").read_bytes() == b"theirs"


# -- types and names that change


def test_a_folder_makes_way_for_a_file_only_when_igors_own_were_all(
    host: Receiver, tree: Path
) -> None:
    host.write("d/e/x")
    (tree / "d/theirs").write_bytes(b"theirs")
    assert host.delete("d/e/x", expecting(tree / "d/e/x"), b"d/e", b"d").ok
    assert not (tree / "d/e").exists()
    assert not host.write("d", b"file").ok
    (tree / "d/theirs").unlink()
    assert host.delete("d/e/x", NOTHING, b"d/e", b"d").ok
    assert host.write("d", b"file").ok
    assert host.delete("d", expecting(tree / "d")).ok
    assert host.write("d/x", b"below").ok


def test_names_that_differ_in_case_are_two_files(host: Receiver, tree: Path) -> None:
    assert host.write("Name", b"1").ok
    assert host.write("name", b"1").ok
    assert host.delete("Name", expecting(tree / "Name")).ok
    assert set(entries(tree)) == {b"name"}


def test_only_empty_folders_are_removed_and_never_the_root(host: Receiver, tree: Path) -> None:
    host.write("a/b/x")
    host.write("a/c/y")
    assert host.delete("a/b/x", ANYTHING, b"a/b", b"a/c", b"a", b"", b".", b"..").ok
    assert sorted(entries(tree)) == [b"a/c/y"]
    assert not (tree / "a/b").exists()


def test_deleting_what_is_gone_is_well(host: Receiver) -> None:
    for expect in (NOTHING, Precondition(versions=(Version(1, 1),))):
        answer = host.delete("no/such/file", expect)
        assert (answer.ok, answer.state) == (True, None)


def test_frames_are_carried_out_in_their_order(host: Receiver, tree: Path) -> None:
    for n in range(200):
        head = payloads.target(1, b"x", ANYTHING, 0o644, MTIME + n)
        host.send(frames.WRITE, head, b"%d" % n, number=n + 1)
    assert [host.frame()[1] for _ in range(200)] == list(range(1, 201))
    assert (tree / "x").read_bytes() == b"199"


# -- patches


def test_a_patch_replaces_the_middle(host: Receiver, tree: Path) -> None:
    old = os.urandom(3_000_000)
    new = old[:1_500_000] + b"middle" + old[-1_400_000:]
    host.write("big", old)
    expect = expecting(tree / "big")
    base = Version(len(old), MTIME)
    answer = host.patch("big", base, 1_500_000, 1_400_000, b"middle", sha256(new), expect)
    assert answer.ok, answer
    assert (tree / "big").read_bytes() == new
    assert answer.state
    assert answer.state.size == len(new)


def test_a_patch_of_another_base_is_not_made(host: Receiver, tree: Path) -> None:
    host.write("x", b"0123456789")
    there = expecting(tree / "x")
    ten = Version(10, MTIME)
    patched = sha256(b"0123-89")
    for base, prefix, suffix, content, expect in [
        (Version(10, MTIME + 1), 4, 2, patched, there),
        (Version(11, MTIME), 4, 2, patched, there),
        (ten, 4, 2, sha256(b"other"), there),
        (ten, 9, 2, patched, there),
        (ten, 4, 2, patched, Precondition(absent=True, versions=(Version(10, MTIME),))),
    ]:
        if expect.absent:
            (tree / "x").unlink()
        answer = host.patch("x", base, prefix, suffix, b"-", content, expect)
        assert (answer.ok, answer.reason) == (False, frames.NOT_THE_BASE)
    assert entries(tree) == {}
    refused = host.patch("x", ten, 4, 2, b"-", patched, there)
    assert (refused.ok, refused.reason, refused.state) == (False, "", None)
    assert temp_files(tree.parent) == []


# -- files in chunks


def test_a_file_in_chunks_appears_at_its_end(host: Receiver, tree: Path) -> None:
    number = host.begin("big", 6)
    host.chunk(number, b"abc")
    assert not (tree / "big").exists()
    assert host.write("other").ok
    host.chunk(number, b"def")
    host.send(frames.COMMIT, number=number)
    assert read_answer(host.frame()[2]).ok
    assert (tree / "big").read_bytes() == b"abcdef"


def test_a_file_in_chunks_is_checked_first_and_again(host: Receiver, tree: Path) -> None:
    (tree / "x").write_bytes(b"theirs")
    number = host.begin("x", 3)
    assert not read_answer(host.frame()[2]).ok
    host.chunk(number, b"abc")
    host.send(frames.COMMIT, number=number)
    number = host.begin("y", 3)
    host.chunk(number, b"abc")
    (tree / "y").write_bytes(b"theirs")
    host.send(frames.COMMIT, number=number)
    assert read_answer(host.frame()[2]).hash == sha256(b"theirs")
    assert set(entries(tree).values()) == {b"theirs"}
    assert host.nothing_more()
    assert temp_files(tree.parent) == []


def test_a_file_of_which_a_part_is_missing_is_not_written(host: Receiver, tree: Path) -> None:
    number = host.begin("x", 4)
    host.chunk(number, b"abc")
    host.send(frames.COMMIT, number=number)
    assert read_answer(host.frame()[2]).reason == "not all of it has arrived"
    number = host.begin("x", 4)
    host.send(frames.ABORT, number=number)
    assert host.write("y").ok
    assert set(entries(tree)) == {b"y"}
    assert temp_files(tree.parent) == []


# -- surveys


def test_a_survey_tells_what_is_not_as_expected_and_no_more(host: Receiver, tree: Path) -> None:
    for n in range(300):
        host.write(f"d{n % 7}/f{n}", b"x" * n)
    host.link("l", b"d1")
    host.link("m", b"d1")
    expected: dict[bytes, State] = {}
    for path in sorted(tree.rglob("*")):
        name = os.fsencode(path.relative_to(tree))
        if path.is_dir() and not path.is_symlink():
            expected[name] = State("d", 0, 0, 0)
        elif path.is_symlink():
            expected[name] = State("l", 2, 0, 0, b"d1")
        else:
            expected[name] = State("f", path.stat().st_size, MTIME, 0)
    listed = sorted([*expected, b"gone"])
    asked = SurveyRequest.of(listed, expected)
    assert host.survey(asked) == {}
    assert list(host.parts(frames.SURVEY, payloads.number(1), asked.list_hash, asked.digests)) == []
    (tree / "d1/f1").write_bytes(b"longer")
    (tree / "d2/f2").unlink()
    (tree / "l").unlink()
    (tree / "l").mkdir()
    (tree / "m").unlink()
    (tree / "m").symlink_to("d2")
    (tree / "gone").write_bytes(b"")
    os.utime(tree / "d3/f3", ns=(1, 2))
    found = host.survey_again(asked)
    assert {path: state and (state.kind, state.size) for path, state in found.items()} == {
        b"d1/f1": ("f", 6),
        b"d2/f2": None,
        b"l": ("d", (tree / "l").stat().st_size),
        b"m": ("l", 2),
        b"gone": ("f", 0),
        b"d3/f3": ("f", 3),
    }
    assert found[b"m"] == State("l", 2, (tree / "m").lstat().st_mtime_ns, 0o777, b"d2")
    again = SurveyRequest.of(listed, {**expected, **{p: s for p, s in found.items() if s}}, asked)
    assert set(host.survey_again(again)) == {b"d2/f2"}


def test_saves_go_on_during_a_long_survey_or_hashing(host: Receiver, tree: Path) -> None:
    (tree / "big").write_bytes(bytes(300_000_000))
    slow = host.send(frames.HASHES, payloads.number(1), pack_paths([b"big"]))
    fast = host.send(frames.WRITE, payloads.target(1, b"x", NOTHING, 0o644, MTIME), b"1")
    assert [host.frame()[1] for _ in range(3)] == [fast, slow, slow]


def test_a_file_is_read_up_to_a_limit(host: Receiver, tree: Path) -> None:
    host.write("x", b"0123456789")
    (tree / "l").symlink_to("x")
    head = payloads.number(1), payloads.number(4)
    assert host.ask(frames.READ, *head, b"x") == (frames.CONTENT, b"\x010123")
    assert host.ask(frames.READ, *head, b"y")[1] == b"\0No such file or directory"
    assert host.ask(frames.READ, *head, b"l")[1][:1] == b"\0"
    assert host.ask(frames.READ, *head, b"../p/x")[1] == b"\0Invalid argument"


# -- opening


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with receiver() as host:
        assert host.open(tmp_path, writing=False) == {
            "path": str(tmp_path / "p"), "exists": False, "claimed_by": "", "error": "",
        }  # fmt: skip
        assert list(tmp_path.iterdir()) == []
        assert host.write("x").reason == "No such file or directory"
        (tmp_path / "p").mkdir()
        assert host.open(tmp_path, writing=False)["exists"]
        assert host.write("x").reason == "the tree is open to read only"
        assert host.survey(SurveyRequest.of([b"x"], {})) == {}
        assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_tree_belongs_to_who_pushed_first_until_it_is_taken(tmp_path: Path) -> None:
    with receiver() as mine, receiver() as theirs:
        assert mine.open(tmp_path, claim="caf\udce9")["claimed_by"] == ""
        for writing in (True, False):
            said = theirs.open(tmp_path, claim="theirs", writing=writing)
            assert said["claimed_by"] == "caf\udce9"
        assert theirs.open(tmp_path, claim="theirs", taking=True)["claimed_by"] == ""
        assert mine.open(tmp_path, claim="caf\udce9")["claimed_by"] == "theirs"
    private = tmp_path / ".igor-host"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert (private / "claims/p").read_bytes() == b"theirs"
    assert [path.name for path in (private / "claims").iterdir()] == ["p"]


def test_the_real_path_is_told_and_the_root_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "p").symlink_to("elsewhere")
    with receiver() as host:
        assert host.open(tmp_path)["path"] == str(tmp_path / "elsewhere")
        assert host.write("x", b"1").ok
        (tmp_path / "elsewhere").rename(tmp_path / "old")
        assert host.write("x", b"2").reason == "No such file or directory"
        (tmp_path / "elsewhere").mkdir()
        assert host.write("x", b"3").ok
    assert (tmp_path / "elsewhere/x").read_bytes() == b"3"
    assert (tmp_path / "old/x").read_bytes() == b"1"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"a file")
    with receiver() as host:
        assert host.open(tmp_path)["error"] == f"{tmp_path}/p: Not a directory"


# -- its end


def test_what_is_no_frame_ends_it_with_a_reason(tmp_path: Path) -> None:
    junk = [
        HEADER.pack(99, 1, 0),
        HEADER.pack(frames.WRITE, 1, 0xFFFFFFFF),
        HEADER.pack(frames.WRITE, 1, 3) + b"abc",
        HEADER.pack(frames.OPEN, 1, 6) + b"\0\0\0\1{}",
        HEADER.pack(frames.HASHES, 1, 5) + b"\0\0\0\1x",
        HEADER.pack(frames.SURVEY, 1, 20) + b"\0\0\0\1" + bytes(16),
        HEADER.pack(frames.WRITE, 1, frames.TARGET.size + 1)
        + frames.TARGET.pack(7, 0, 0, 1, 1, 0, 0) + b"x",
        HEADER.pack(frames.WRITE, 1, frames.TARGET.size + 1)
        + frames.TARGET.pack(1, 0, 0, 1, 1, 9, 0) + b"x",
    ]  # fmt: skip
    for data in junk:
        with receiver() as host:
            host.open(tmp_path)
            host.raw(data)
            kind, _number, said = host.frame()
            assert kind == frames.NONSENSE
            assert said
            with pytest.raises(Ended, match=r"^$"):
                host.frame()
    assert entries(tmp_path / "p") == {}


@pytest.mark.parametrize("name", ["HUP", "TERM", "INT", ""])
def test_it_ends_with_its_input_or_a_signal_and_leaves_no_temp_file(
    tmp_path: Path, name: str
) -> None:
    with receiver() as host:
        host.open(tmp_path)
        number = host.begin("big", 10)
        host.chunk(number, b"half")
        assert len(temp_files(tmp_path)) == 1
        if name:
            host.process.send_signal(getattr(signal, f"SIG{name}"))
            assert host.process.wait(5) == 0
        else:
            assert host.end() == 0
    assert temp_files(tmp_path) == []
    assert entries(tmp_path / "p") == {}


def test_it_ends_when_it_hears_nothing(tmp_path: Path) -> None:
    with changed_source(program_frames, "= 30.0", "= 0.3"), receiver() as host:
        assert host.process.wait(5) == 0


def test_what_a_killed_receiver_left_is_swept_by_the_next_and_no_living_ones(
    tmp_path: Path,
) -> None:
    with receiver() as living, receiver() as dying:
        for host in (living, dying):
            host.open(tmp_path)
            host.chunk(host.begin("big", 10), b"half")
        foreign = tmp_path / ".igor-host/tmp/p/elsewhere.1.1.1"
        foreign.write_bytes(b"of another host")
        dying.process.kill()
        dying.process.wait()
        assert len(temp_files(tmp_path)) == 3
        with receiver() as next_one:
            next_one.open(tmp_path)
            left = temp_files(tmp_path)
        assert len(left) == 2
        assert foreign in left


def test_the_folder_for_temp_files_may_vanish(host: Receiver, tmp_path: Path) -> None:
    assert host.write("x", b"1").ok
    (tmp_path / ".igor-host/tmp/p").rmdir()
    assert host.write("y", b"2").ok
    (tmp_path / ".igor-host/tmp/p").rmdir()
    assert host.link("z", b"2").ok
    (tmp_path / ".igor-host/tmp/p").rmdir()
    number = host.begin("big", 1)
    host.chunk(number, b"3")
    host.send(frames.COMMIT, number=number)
    assert read_answer(host.frame()[2]).ok


# -- old hosts


def test_the_oldest_python_here_runs_the_receiver(tmp_path: Path) -> None:
    _version, python = min(filter(None, map(version, pythons())))
    with receiver(python=str(python)) as host:
        host.open(tmp_path)
        assert host.write("d/x", b"1").ok
        path = tmp_path / "p/d/x"
        assert host.write("d/x", b"2", expecting(path)).ok
        patched = host.patch("d/x", Version(1, MTIME), 1, 0, b"3", sha256(b"23"), expecting(path))
        assert patched.ok
        assert host.link("l", b"d").ok
        found = host.survey(SurveyRequest.of([b"d", b"d/x", b"l"], {}))
        assert [state and state.kind for _path, state in sorted(found.items())] == ["d", "f", "l"]
        assert host.hashes(b"d/x") == {b"d/x": sha256(b"23")}
        assert host.delete("d/x", expecting(path), b"d").ok
        assert host.end() == 0
