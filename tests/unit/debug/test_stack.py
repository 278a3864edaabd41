"""Stacks without hosts: the registration as programs see it, and the text and list of stacks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from igor_core.debug.processes.model import Frame, ProbeResult, PythonProcess, Thread, probe_result
from igor_core.debug.processes.probe import (
    PROBE,
    REGISTRATION,
    probe_words,
    registered,
    registration_source,
)
from igor_core.debug.processes.stacks import HostStacks, stack_places, stack_text
from igor_core.debug.processes.unreadable import IN_CONTAINER, unread
from igor_core.output import SourceTree
from igor_core.remote.process_probe.dumps import parse_dump

TREE = SourceTree.of("/home/me/p", ["/workspace"], ["train.py", "lib/net.py"])


def process(pid: int, *frames: tuple[str, int, str], rank: str = "", **more: Any) -> PythonProcess:
    calls = tuple(Frame(*frame) for frame in frames)
    threads = (Thread("MainThread", pid, False, None, calls),) if calls else ()
    argv = ("python", "train.py")
    found = PythonProcess(pid, 0, argv, "S", 0.0, 0, "/usr/bin/python3", rank, "", True, threads)
    return PythonProcess(**{**vars(found), **more})


WAITS = (
    ("/usr/lib/python3.11/threading.py", 320, "wait"),
    ("/workspace/lib/net.py", 7, "gather"),
    ("/workspace/train.py", 3, "<module>"),
)


# -- places and text


def test_the_same_stack_of_eight_ranks_is_listed_once() -> None:
    ranks = [process(10 + rank, *WAITS, rank=str(rank)) for rank in range(8)]
    hosts = [HostStacks("apollo", ranks[:4], TREE), HostStacks("enterprise", ranks[4:], TREE)]
    places, dropped = stack_places(hosts)
    assert dropped == 0
    assert [(place.path, place.line, place.library) for place in places] == [
        ("", 320, True),
        ("/home/me/p/lib/net.py", 7, False),
        ("/home/me/p/train.py", 3, False),
    ]
    assert {place.count for place in places} == {8}
    assert places[1].hosts == ("apollo", "enterprise")
    assert places[1].ranks == tuple(f"rank {rank}" for rank in range(8))
    assert places[1].text == "waits in wait"


def test_a_different_stack_has_rows_of_its_own_with_its_rank() -> None:
    other = process(99, ("/workspace/lib/net.py", 20, "load"), rank="3")
    places, _ = stack_places([HostStacks("apollo", [process(1, *WAITS), other], TREE)])
    texts = [place.text for place in places if place.kind == "I" and not place.library]
    assert texts == ["process 1 waits in wait", "process 99 waits in load"]


def test_text_is_as_py_spy_writes_it_with_project_paths() -> None:
    text = stack_text(process(7, *WAITS, rank="2", by="py-spy"), TREE)
    assert text.splitlines() == [
        "Process 7 (rank 2): python train.py",
        "/usr/bin/python3, read by py-spy",
        "",
        'Thread 7 (idle): "MainThread"',
        "    wait (/usr/lib/python3.11/threading.py:320)",
        "    gather (lib/net.py:7)",
        "    <module> (train.py:3)",
        "",
    ]


def test_control_characters_in_a_command_line_are_escaped() -> None:
    text = stack_text(process(7, argv=("python", "\x1b[2J\n\udcff")), TREE)
    assert text == "Process 7: python \\x1b[2J\\n\\xff\n\n"


def test_each_reason_is_one_sentence() -> None:
    found = [process(pid, problem="no py-spy") for pid in range(1, 7)]
    found += [process(7, *WAITS), process(8, problem="yama", said="Permission denied")]
    first, second = unread(found, IN_CONTAINER)
    assert first.text.startswith("processes 1, 2, 3, 4 and 2 more can't be read: py-spy is not")
    assert "pip install py-spy" in first.hint
    assert second.text.startswith("process 8 can't be read: kernel.yama")
    assert "--cap-add=SYS_PTRACE" in second.hint


def test_stacks_read_as_root_complete_the_result() -> None:
    mine = ProbeResult((process(1, *WAITS), process(2, problem="user")), True, 1000)
    roots = ProbeResult((process(2, *WAITS),), True, 0)
    assert all(found.threads for found in mine.completed_by(roots).processes)


def test_faulthandlers_text_with_names_of_threads_and_of_any_alphabet() -> None:
    text = (
        "Thread 0x00007f01 [second] (most recent call first):\n"
        '  File "/w/na\\xefve.py", line 3 in l\\u03bb\n'
        "\n"
        "Current thread 0x00007f02 (most recent call first):\n"
        "  <no Python frame>\n"
        '  File "/w/a "b".py", line ??? in f\n'
    )
    second, main = parse_dump(text)  # type: ignore[no-untyped-call]
    assert (second["name"], second["frames"][0]["path"]) == ("second", "/w/naïve.py")
    assert second["frames"][0]["function"] == "lλ"
    assert (main["name"], main["id"]) == ("MainThread", 0x7F02)
    assert main["frames"] == [{"path": '/w/a "b".py', "line": 0, "function": "f"}]


# -- the registration in programs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run folder"
    folder.mkdir()
    (folder / REGISTRATION).write_bytes(registration_source())
    return folder


def printed(folder: Path, code: str, **environment: str) -> Any:
    """Return the JSON that a registered program prints."""
    base = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        registered([sys.executable, "-c", code], str(folder)), env={**base, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return json.loads(done.stdout)


SEEN = """\
import json, os, signal, sys
print(json.dumps([sys.path, sorted(set(sys.modules) - {"faulthandler"}), os.open("/dev/null", 0),
    signal.getsignal(63) == signal.SIG_DFL, list(sys.path_importer_cache)]))
"""


def test_a_program_sees_no_difference(folder: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert printed(folder, SEEN) == printed(nowhere, SEEN)
    other = tmp_path / "packages"
    other.mkdir()
    assert printed(folder, SEEN, PYTHONPATH=str(other)) == printed(
        nowhere, SEEN, PYTHONPATH=str(other)
    )


def test_the_programs_own_sitecustomize_still_runs(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins\nbuiltins.mine = __file__\n")
    code = "import json, sitecustomize; print(json.dumps([mine, sitecustomize.__file__]))"
    assert printed(folder, code, PYTHONPATH=str(own)) == [str(own / "sitecustomize.py")] * 2


def test_its_children_are_registered_too_and_keep_its_path(folder: Path) -> None:
    code = (
        "import json, os, subprocess, sys\n"
        "inner = 'import os; print(os.readlink(\"/proc/self/fd/240\"))'\n"
        "print(json.dumps([os.environ['PYTHONPATH'], subprocess.run([sys.executable, '-c', inner],"
        " stdout=-1, text=True).stdout]))"
    )
    path, link = printed(folder, code, PYTHONPATH="/a:/b")
    assert path == f"{folder}:/a:/b"
    assert link == "/memfd:igor-stack (deleted)\n"


# -- programs that are looked at


class Program:
    """A Python program in `folder`, found as one of a project on a host."""

    def __init__(self, folder: Path, code: str, *options: str, run: Path | None = None) -> None:
        self.folder = folder
        argv = [sys.executable, *options, "-c", code]
        base = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.running = subprocess.Popen(
            registered(argv, str(run)) if run else argv, cwd=folder, env=base,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.running.stdout is not None
        assert self.running.stdout.readline() == "ready\n"

    def look(self) -> list[PythonProcess]:
        words = probe_words(tree=str(self.folder), stacks=True)
        done = subprocess.run(
            [sys.executable, *words], input=PROBE.payload, capture_output=True, check=True,
            env={**os.environ, "PATH": "/usr/bin:/bin", "VIRTUAL_ENV": ""},
        )  # fmt: skip
        return list(probe_result(done.stdout).processes)

    def end(self) -> str:
        """Let the program run to its end; return the rest of its output. It must exit with 0."""
        output, _ = self.running.communicate("go on\n", timeout=10)
        assert self.running.returncode == 0
        return output


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    return work


HANGS = """\
import os, signal, sys, threading
seen = []
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGRTMIN):
    signal.signal(number, lambda *what: seen.append(what[0]))
lock = threading.Lock()
lock.acquire()
def wait_for_it():
    with lock:
        print("got it")
second = threading.Thread(target=wait_for_it, name="second")
second.start()
def main():
    print("ready", flush=True)
    sys.stdin.readline()
    lock.release()
    second.join()
    print(seen, os.listdir("/proc/self/fd").count("240"))
main()
"""


def functions(process: PythonProcess) -> list[list[str]]:
    return [[frame.function for frame in thread.frames] for thread in process.threads]


def test_a_registered_program_writes_all_threads_and_runs_on(work: Path, folder: Path) -> None:
    program = Program(work, HANGS, run=folder)
    for _time in range(3):
        (found,) = program.look()
        assert (found.pid, found.by) == (program.running.pid, "faulthandler")
        second, main = functions(found)
        assert second[0] == "wait_for_it"
        assert main == ["main", "<module>"]
        # What it has said is not kept, nor what it says later after what it said before.
        size = os.stat(f"/proc/{found.pid}/fd/240").st_size
        assert size == 0
    assert program.end() == "got it\n[] 1\n"


def test_a_forked_child_writes_its_own_stacks(work: Path, folder: Path) -> None:
    code = (
        "import os, sys\n"
        "def parent():\n    sys.stdin.readline(); os.write(pipe[1], b'x'); os.wait()\n"
        "def child():\n    os.read(pipe[0], 1); os._exit(0)\n"
        "pipe = os.pipe()\n"
        "if os.fork() == 0:\n    child()\n"
        "print('ready', flush=True)\n"
        "parent()\n"
    )
    program = Program(work, code, run=folder)
    assert [functions(found)[0][0] for found in program.look()] == ["parent", "child"]
    program.end()


def test_an_unregistered_process_is_not_killed(work: Path, folder: Path) -> None:
    """The signal would kill it, also if it catches it for itself or closes the file."""
    own = "import signal; signal.signal(63, lambda *_: seen.append('igor'))\n"
    closes = "import os; os.closerange(3, 256)\n"
    programs = [
        Program(work, HANGS),
        Program(work, HANGS, "-I", run=folder),
        Program(work, own + HANGS),
        Program(work, closes + HANGS, run=folder),
    ]
    assert {found.problem for found in programs[0].look()} == {"no py-spy"}
    for program, has_file in zip(programs, (0, 0, 0, 0), strict=True):
        assert program.end() == f"got it\n[] {has_file}\n"


def test_a_stopped_process_stays_stopped_and_is_named(work: Path, folder: Path) -> None:
    program = Program(work, HANGS, run=folder)
    os.kill(program.running.pid, signal.SIGSTOP)
    (found,) = program.look()
    assert (found.problem, found.said, found.threads) == ("silent", "it is stopped", ())
    os.kill(program.running.pid, signal.SIGCONT)
    assert program.end() == "got it\n[] 1\n"


def test_neither_igors_own_programs_nor_those_of_other_folders_are_found(
    work: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    program, stranger = Program(work, HANGS), Program(other, HANGS)
    own = subprocess.Popen(
        [sys.executable, "-I", "-c", "'/debug_helper.py';import time; time.sleep(60)"], cwd=work
    )
    try:
        assert [found.pid for found in program.look()] == [program.running.pid]
    finally:
        own.kill()
        own.wait()
    program.end()
    stranger.end()


def test_escapes_that_are_no_characters_are_kept_as_they_are() -> None:
    said = r'  File "/w/\Uffffffff\ud800\udcff\u00e4.py", line 3 in wait'
    (thread,) = parse_dump(f"Thread 0x01 (most recent call first):\n{said}\n")  # type: ignore[no-untyped-call]
    assert thread["frames"][0]["path"] == "/w/\\Uffffffff\\ud800\udcff\xe4.py"
    text = stack_text(process(7, argv=("python", "\ud800\udfff\udcff")), TREE)
    assert r"\ud800\udfff\xff" in text
