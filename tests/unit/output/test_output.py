"""Source locations in what programs print: real outputs, cut anywhere, and hostile ones."""

import random
import time
import tracemalloc
from dataclasses import replace

import pytest

from igor_core.output import OutputParser, QuickfixEntry, SourceTree
from igor_core.output.line_splitter import LONGEST_LINE, LineSplitter
from igor_core.output.merge import MOST_REPORTS, MOST_ROWS
from tests.data.outputs import project, show
from tests.data.outputs.cases import CASES, Case

TREE = SourceTree.of(
    "/local", ["/workspace"], ["train.py", "pkg/model.py", "Makefile", "sub/a b.py"]
)
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/workspace/train.py", line {}, in main\n'
    "    forward(0)\n"
    "{}: {}\n"
)


def read(text: str, tree: SourceTree = TREE) -> list[QuickfixEntry]:
    places = OutputParser({"apollo": tree})
    places.feed("apollo", "stderr", text.encode())
    return places.finish()


def seen(text: str) -> list[tuple[str, int, int, str, str]]:
    return [
        (entry.name.removeprefix("/local/"), entry.line, entry.column, entry.kind, entry.text)
        for entry in read(text)
    ]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_real_output_gives_the_rows_of_the_table(case: Case) -> None:
    assert show.rows(case) == dict(show.expected())[case.name]


def test_the_table_has_every_output_and_no_other() -> None:
    names = [name for name, _rows in show.expected()]
    assert names == [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 40
    assert {path.stem for path in project.HERE.glob("*.out")} == set(names)


def test_every_output_but_ordinary_text_has_a_location() -> None:
    for name, rows in show.expected():
        assert (name == "noise") == (not rows)
        assert name == "noise" or any(not row.startswith("-") for row in rows), name


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_chunks_cut_anywhere_give_the_same_entries(case: Case) -> None:
    whole, output = show.entries(case), show.output(case)
    for seed, longest in enumerate((1, 7, 300, 5000)):
        cuts = random.Random(seed)
        places, at = OutputParser(show.trees(case)), 0
        while at < len(output):
            size = cuts.randint(1, longest)
            places.feed("apollo", "stdout", output[at : at + size])
            at += size
        assert places.finish() == whole


def test_quiet_stretches_before_and_after_change_nothing() -> None:
    quiet = b"".join(b"epoch %d has a loss of 0.25 at 12:30:45\n" % n for n in range(5000))
    for case in CASES:
        places = OutputParser(show.trees(case))
        for data in (quiet, show.output(case), b"\n", quiet):
            places.feed("apollo", "stdout", data)
        # What a program said last is first: here it did not say it last.
        assert sorted(map(show.row, places.finish())) == sorted(show.rows(case)), case.name


def test_random_bytes_never_raise() -> None:
    tree = next(iter(show.trees(CASES[0]).values()))
    pieces = [piece for case in CASES for piece in show.output(case).splitlines(keepends=True)]
    for seed in range(40):
        dice = random.Random(seed)
        places = OutputParser({"apollo": tree, "enterprise": tree})
        for _ in range(200):
            piece = bytearray(dice.choice(pieces) if dice.random() < 0.8 else dice.randbytes(40))
            if piece and dice.random() < 0.3:
                piece[dice.randrange(len(piece))] = dice.randrange(256)
            places.feed(dice.choice(("apollo", "enterprise")), "stdout", bytes(piece))
        for entry in places.finish():
            assert entry.path or entry.remote
            assert entry.to_wire()["name"]


@pytest.mark.parametrize(
    "unit",
    [b"a", b":", b"a:1:", b"\r", b"\x1b[", b"\x1b]", b'File "', b"  | ", b"[rank0]: ", b" ", b"\n",
     b"at (", b": error", b"a: ", b"make: ", b"/", b"'", b"1: ", b"\xff", b"x.py(1"],
)  # fmt: skip
def test_hostile_output_takes_bounded_time_and_memory(unit: bytes) -> None:
    data = (b"train.py:1" + unit * (10_000_000 // len(unit)))[:10_000_000]
    places, begun = OutputParser({"apollo": TREE}), time.process_time()
    tracemalloc.start()
    for at in range(0, len(data), 1 << 16):
        places.feed("apollo", "stdout", data[at : at + (1 << 16)])
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    places.finish()
    assert peak < 2_000_000
    assert time.process_time() - begun < 20


def test_lines_as_long_as_are_read_take_no_time_that_grows_with_their_square() -> None:
    for unit in ("a:1", "a ", "/a", 'File "', "at (", ": error", "a: ", "x(1", "\x1b[0;", "a.b."):
        for begin in ("", "train.py:3", "  File ", "CMake Error at ", "thread 'a' panicked at "):
            line = (begin + unit * LONGEST_LINE)[:LONGEST_LINE]
            begun = time.process_time()
            read(f"{line}\n" * 20)
            assert time.process_time() - begun < 2, (begin, unit)


def test_reports_beyond_the_most_are_counted_and_dropped() -> None:
    places = OutputParser({"apollo": TREE})
    for line in range(MOST_REPORTS + 10):
        places.feed("apollo", "stdout", b"train.py:%d:1: error: wrong\n" % (line + 1))
    assert len(places.finish()) == MOST_REPORTS
    assert places.dropped == 10


def test_what_a_program_ends_with_is_kept_whatever_it_said_before() -> None:
    places = OutputParser({"apollo": TREE})
    for line in range(3 * MOST_REPORTS):
        places.feed("apollo", "stdout", b"train.py:%d:1: warning: unused %d\n" % (line + 1, line))
    places.feed("apollo", "stderr", TRACEBACK.format(5, "ValueError", "end").encode())
    entries = places.finish()
    assert (entries[0].line, entries[0].kind, len(entries)) == (5, "E", MOST_REPORTS)
    assert (entries[1].line, places.dropped) == (1, 2 * MOST_REPORTS + 1)


def test_of_too_many_errors_the_first_and_the_last_stay() -> None:
    places = OutputParser({"apollo": TREE})
    for line in range(1, 3 * MOST_REPORTS + 1):
        places.feed("apollo", "stdout", b"train.py:%d:1: error: wrong\n" % line)
    lines = [entry.line for entry in places.finish()]
    half = MOST_REPORTS // 2
    assert sorted(lines) == [*range(1, half + 1), *range(5 * half + 1, 6 * half + 1)]
    assert places.dropped == 2 * MOST_REPORTS


def test_rows_and_names_are_bounded_too() -> None:
    frame = '  File "/workspace/train.py", line {}, in deeper\n    deeper()\n'
    places = OutputParser({"apollo": TREE})
    for error in range(100):
        frames = "".join(frame.format(n + error) for n in range(1, 90))
        text = f"Traceback (most recent call last):\n{frames}ValueError: {error}\n"
        places.feed("apollo", "stderr", text.encode())
    for rank in range(1000):
        places.feed("apollo", "stdout", b"%d: train.py:7:1: error: wrong\n" % rank)
    entries = places.finish()
    assert len(entries) <= MOST_ROWS
    assert places.dropped == 101 - len(
        {(entry.line, entry.text) for entry in entries if entry.kind == "E"}
    )
    assert all(len(entry.ranks) <= 16 for entry in entries)


def test_a_terminals_line_is_what_was_written_last_in_it() -> None:
    lines = LineSplitter()
    assert list(lines.feed(b" 10%\r 20%\x1b[0m\r\n\x1b[1mbold\x1b[0m\tx\r")) == [" 20%"]
    assert list(lines.feed(b"\n\x1b]0;title\x07a\x08b\n")) == ["bold\tx", "ab"]
    assert list(lines.feed(b"12" * LONGEST_LINE + b"\nnext\n")) == [
        "12" * (LONGEST_LINE // 2),
        "next",
    ]


def test_one_traceback_of_eight_ranks_on_two_hosts_is_one_entry() -> None:
    places = OutputParser({"apollo": TREE, "enterprise": TREE})
    for host in ("apollo", "enterprise"):
        for rank in range(4):
            error = TRACEBACK.format(7, "ValueError", f"rank {rank} of {host} has none")
            said = "".join(f"[rank{rank}]: {line}\n" for line in error.splitlines())
            places.feed(host, "stderr", said.encode())
    (entry,) = places.finish()
    assert (entry.count, entry.hosts) == (8, ("apollo", "enterprise"))
    assert entry.ranks == ("rank0", "rank1", "rank2", "rank3")


def test_streams_and_hosts_that_talk_at_the_same_time_are_told_apart() -> None:
    places = OutputParser({"apollo": TREE, "enterprise": TREE})
    errors = [TRACEBACK.format(line, "ValueError", "x").encode() for line in (3, 5, 7)]
    sources = [("apollo", "stdout"), ("apollo", "stderr"), ("enterprise", "stderr")]
    for at in range(len(errors[0])):
        for source, error in zip(sources, errors, strict=True):
            places.feed(*source, error[at : at + 1])
    assert [entry.line for entry in places.finish()] == [3, 5, 7]


def test_what_the_program_ended_with_comes_before_what_it_survived() -> None:
    handled = TRACEBACK.format(3, "OSError", "tried again") + "INFO: going on\n" * 30
    text = "train.py:9: UserWarning: slow\n" + handled + TRACEBACK.format(5, "ValueError", "end")
    assert [entry.line for entry in read(text)] == [5, 3, 9]


def test_what_failed_in_libraries_only_comes_after_what_failed_in_the_project() -> None:
    library = TRACEBACK.format(3, "ChildFailedError", "").replace(
        "/workspace/", "/usr/lib/python3/dist-packages/torch/"
    )
    entries = read(library + TRACEBACK.format(5, "ValueError", "x") + "more\n" * 9 + library)
    assert [entry.library for entry in entries] == [False, True]
    assert entries[1].name == "igor://apollo/usr/lib/python3/dist-packages/torch/train.py"
    assert entries[1].count == 2


MAPPED = [
    ("/workspace/train.py:3:5: error: x", ("train.py", 3, 5)),
    ("train.py:3:5: error: x", ("train.py", 3, 5)),
    ("./pkg/../train.py:3:5: error: x", ("train.py", 3, 5)),
    ("model.py:3:5: error: x", ("pkg/model.py", 3, 5)),
    ("sub/a b.py:3:5: error: x", ("sub/a b.py", 3, 5)),
    ("/workspace/build/made.c:3:5: error: x", ("igor://apollo/workspace/build/made.c", 3, 5)),
    ("/usr/include/stdio.h:3:5: error: x", ("igor://apollo/usr/include/stdio.h", 3, 5)),
    ("src/x.ts(3,5): error TS2322: x", None),
    ("train.py(3,5): error: x", ("train.py", 3, 5)),
    ("train.py:3: INFO: step", None),
    ("train.py:3:import os", None),
    ("/workspace2/train.py:3:5: x", None),
    ("/workspace/../etc/passwd:3:5: error: x", None),
    ("/rustc/0123/library/core/src/panicking.rs:3:5: error: x", None),
    ("other.py:3:5: error: x", None),
    ("12:30:45: error: x", None),
]


@pytest.mark.parametrize(("line", "wanted"), MAPPED, ids=[line for line, _ in MAPPED])
def test_a_path_is_local_remote_or_nothing(line: str, wanted: tuple[str, int, int] | None) -> None:
    assert [place[:3] for place in seen(line + "\n")] == ([wanted] if wanted else [])


def test_relative_paths_start_from_where_the_command_runs() -> None:
    tree = SourceTree.of("/local", ["/workspace"], ["x.py", "sub/x.py"], working="sub")
    assert read("x.py:1:1: error: y\n", tree)[0].path == "/local/sub/x.py"
    assert read("x.py:1:1: error: y\n", replace(tree, working=""))[0].path == "/local/x.py"
    entered = "make: Entering directory '/workspace/sub'\nx.py:1:1: error: y\n"
    assert read(entered, replace(tree, working=""))[0].path == "/local/sub/x.py"


def test_a_line_of_one_speaker_is_no_heading_for_another() -> None:
    text = "[rank0]: error: of rank 0\n[rank1]: --> train.py:3:1\n[rank0]: --> train.py:5:1\n"
    assert [(place[1], place[4]) for place in seen(text)] == [(3, ""), (5, "error: of rank 0")]


def test_a_cut_traceback_still_has_its_locations() -> None:
    text = TRACEBACK.format(7, "ValueError", "x").split("\n", 1)[1]
    assert seen(text) == [("train.py", 7, 0, "E", "ValueError: x")]
