"""What hosts print, checked: whatever it is, a person reads one sentence and no bug is found."""

import asyncio
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from igor_core.container.engine_errors import engine_error, last_line
from igor_core.container.inspection import containers_in, images_in
from igor_core.container.shell import Said
from igor_core.debug.keeper_notes import DebugRefused
from igor_core.debug.port.dap_rewrite import Answers
from igor_core.debug.processes.model import probe_result
from igor_core.debug.session import DebugSession
from igor_core.doctor.engine_facts import engine_facts
from igor_core.doctor.host import host_checks
from igor_core.doctor.host_facts import HostLink, parse
from igor_core.doctor.ports import container_ports, listening_programs
from igor_core.errors import MOST_TOLD, HostError
from igor_core.paths import HostPaths
from igor_core.push.transport.rsync import output as rsync_output
from igor_core.push.transport.rsync import process as rsync_process
from igor_core.push.transport.rsync.files import hashes
from igor_core.push.transport.rsync.survey import ShellSurveyor
from igor_core.remote.debug_helper import frames as debug_frames
from igor_core.remote.debug_helper.dap import Messages
from igor_core.remote.supervisor.announcement import Announcement
from igor_core.runtime import Runtime
from igor_core.shapes import MOST_WORDS, WrongShape, members, number, parsed, words
from igor_core.ssh.process import Completed, Process

DOCKER = Runtime("docker")
DEEP = b"[" * 200_000
#: JSON that is not what was asked for; each where an object is, and where a list of them is.
STRANGE: list[Any] = [
    None, True, 7, -1, 1 << 80, 1e300, "x", "\ud800", [], {}, [[]], [None], {"": ""}, {"Id": 5},
    "x" * 100_000,
]  # fmt: skip
PATHS = HostPaths.of("/base", "/home/u", "project")


def strangely(good: Any) -> list[bytes]:
    """`good` with each part of it, one at a time, replaced by something strange, or left out."""
    return [json.dumps(bad).encode() for bad in _replaced(good)]


def _replaced(good: Any) -> list[Any]:
    found = list(STRANGE)
    if isinstance(good, dict):
        for name in good:
            found += [{**good, name: bad} for bad in _replaced(good[name])]
            found.append({key: value for key, value in good.items() if key != name})
    if isinstance(good, list):
        for at, item in enumerate(good):
            found += [[*good[:at], bad, *good[at + 1 :]] for bad in _replaced(item)]
    return found


def read_or_refused(read: Callable[[], Any]) -> Any:
    """What was read; nothing where that was refused in one short sentence."""
    try:
        return read()
    except (HostError, WrongShape) as error:
        said = str(error)
    assert 0 < len(said) < 600
    return ()


CONTAINER = {
    "Id": "abc", "Name": "/c", "Image": "sha256:1", "State": {"Status": "running", "Pid": 4},
    "Config": {"Labels": {"a": "b"}}, "Mounts": [{"Destination": "/workspace"}], "Other": 1,
}  # fmt: skip
IMAGE = {"Id": "abc", "RepoTags": ["a:b"], "Config": {"Labels": {"a": "b"}}, "Size": 7}


@pytest.mark.parametrize(("good", "read"), [(CONTAINER, containers_in), (IMAGE, images_in)])
def test_an_engine_that_prints_something_else(good: Any, read: Any) -> None:
    assert len(read(Said(0, json.dumps([good]).encode(), ""), DOCKER)) == 1
    for printed in [*strangely([good]), DEEP, b"\xff", b"{", b"NaN", b"[" + b"{}," * 9 + b"{}]"]:
        for one in read_or_refused(lambda said=printed: read(Said(0, said, ""), DOCKER)):
            assert all(isinstance(text, str) for text in one.labels.values())


INFO = {
    "ServerVersion": "24", "SecurityOptions": ["name=rootless"], "DockerRootDir": "/var/lib/docker",
    "Runtimes": {"runc": {}}, "ServerErrors": ["x"], "version": {"Version": "5"},
    "host": {"security": {"rootless": True}}, "store": {"graphRoot": "/x"},
}  # fmt: skip


@pytest.mark.parametrize("runtime", [DOCKER, Runtime("podman")])
def test_an_engine_that_says_strange_things_of_itself(runtime: Runtime) -> None:
    nothing = Completed(0, b"", b"")
    assert engine_facts(runtime, Completed(0, json.dumps(INFO).encode(), b""), nothing, nothing)
    for printed in [*strangely(INFO), DEEP, b"\xff\xfe"]:
        engine_facts(runtime, Completed(0, printed, b""), nothing, nothing)
        engine_facts(runtime, Completed(1, printed, b""), nothing, nothing)


PROCESS = {
    "pid": 7, "ppid": 1, "argv": ["python"], "state": "S", "started": 1.5, "uid": 0, "exe": "/p",
    "rank": "", "session": "", "remote_exec": True, "by": "py-spy", "problem": "", "said": None,
    "threads": [{"name": "M", "id": 1, "active": None, "gil": True,
                 "frames": [{"path": "/a.py", "line": 3, "function": "f"}]}],
    "means": {"version": [3, 11], "adapter": [3, 11], "python": "/p", "debugpy": "", "denied": "",
              "may_write": True, "gdb": "", "gdb_version": 0},
}  # fmt: skip
LOOK = {"processes": [PROCESS], "py_spy": "", "root_may": False, "uid": 0, "python": [3, 11, 2]}


def test_a_look_at_processes_that_is_something_else() -> None:
    assert probe_result(json.dumps(LOOK).encode()).processes[0].threads[0].frames[0].line == 3
    for printed in [*strangely(LOOK), DEEP, b"\xff", b""]:
        for process in read_or_refused(lambda said=printed: probe_result(said).processes):
            assert isinstance(process.command, str)
            assert isinstance(process.pid, int)


def test_doctors_script_with_numbers_that_are_none() -> None:
    huge = "9" * 5000
    holder = f'tcp L 0 0 *:{huge} * users:(("x",pid={huge},fd=3))'
    for value in ("²", huge, "-1", "x y", f"ext4 {huge} ² ٣ 4 /", holder):
        printed = b"".join(
            f"{name}\0{value}\0".encode() for name in ("space", "shell_milliseconds")
        )
        link = HostLink("me@host", True, "", 0.1)
        assert host_checks(parse(printed), link, "/base", containers=True, by_rsync=True)
        assert listening_programs(value) == {}
        assert container_ports(f"name\t:{huge}->{huge}/tcp, :{value}->80/tcp") == {}


# -- debugging: the helper's frames, and what an adapter says


class Carrier:
    """Nobody: what a process of a test is told goes nowhere."""

    def send_input(self, process: Process, data: bytes) -> None: ...
    def send_eof(self, process: Process) -> None: ...
    def send_resize(self, process: Process, columns: int, rows: int) -> None: ...
    def send_signal(self, process: Process, name: str) -> None: ...
    def send_end(self, process: Process) -> None: ...
    def grant(self, process: Process, count: int) -> None: ...


NOTE = {"event": "session", "phase": "listening", "id": "i", "pid": 7, "python": "/p", "root": "/",
        "command": ["a.py"], "position": 0}  # fmt: skip
EXITED = {"event": "exited", "status": 0, "why": "", "listened": True}
NOTES = [
    *strangely(NOTE), *strangely(EXITED), *strangely({"event": "over", "left": 1}),
    *strangely({"event": "dropped", "bytes": 1}),
    *strangely({"event": "refused", "what": "cwd", "text": "t"}), DEEP, b"\xff", b"",
]  # fmt: skip


def heard(data: bytes) -> str:
    """What becomes of a session whose helper says this and ends."""

    async def run() -> str:
        process = Process(Carrier(), 1, 1 << 20)

        async def write(_stream: str, _data: bytes) -> None:
            await asyncio.sleep(0)

        session = DebugSession(process, write)
        process.received("stdout", data)
        process.exited(1, error="")
        try:
            await session.until_listening()
            await session.until_over()
        except DebugRefused as refused:
            return refused.text
        return ""

    return asyncio.run(run())


def test_a_debug_helper_that_says_something_else() -> None:
    for note in NOTES:
        assert len(heard(debug_frames.frame(debug_frames.NOTE, note))) <= MOST_WORDS, note[:200]


@pytest.mark.parametrize("data", [
    struct.pack(">BI", 2, (1 << 32) - 1), struct.pack(">BI", 0, 1), b"\xff" * 5,
    debug_frames.frame(debug_frames.NOTE, b'{"event":{}}'),
])  # fmt: skip
def test_frames_of_a_debug_helper_that_are_none(data: bytes) -> None:
    assert "unexpected output from the debug helper" in heard(data)


@pytest.mark.parametrize("data", [
    b"x" * 70_000, b"Content-Length: 99999999999\r\n\r\n", b"Length: 4\r\n\r\nabcd",
    b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
])  # fmt: skip
def test_messages_of_an_adapter_that_are_none(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Answers().feed(data)


def test_a_large_message_in_many_pieces_is_found() -> None:
    body = bytes(4 << 20)
    data = b"Content-Length: %d\r\n\r\n" % len(body) + body + b"Content-Length: 1\r\n\r\n!"
    messages, found = Messages(), []
    for at in range(0, len(data), 1 << 16):
        found += messages.feed(data[at : at + (1 << 16)])
    assert found == [body, b"!"]


@pytest.mark.parametrize("pid", [b"-1", b"1; reboot", b"9" * 40, b"", b"\xc2\xb2", b"x"])
def test_a_process_number_that_is_none_is_no_announcement(pid: bytes) -> None:
    announcement = Announcement()
    announcement.feed(b"\x1eigor-pid:" + pid + b"\n")
    assert announcement.pid == ""


# -- the answers of hosts without python3


class Liar:
    """A host whose find, and whose sha256sum, say this."""

    name = "liar"

    def __init__(self, printed: bytes) -> None:
        self.printed = printed

    async def run(self, argv: Sequence[str], *, input: bytes = b"", most: int = 0) -> Completed:
        assert most < 20 << 20
        return Completed(0, self.printed, b"")


def found(*fields: bytes, answer: bytes = b"tree") -> bytes:
    return b"\0igor\0" + b"\0".join([answer, b"/base/project", b"/tmp/x", *fields, b"end", b""])


ABOUT = b"f 1 1.0000000000 644"


@pytest.mark.parametrize("fields", [
    (ABOUT, b"./../../etc/passwd", b""), (ABOUT, b"/etc/passwd", b""), (ABOUT, b"./b", b""),
    (ABOUT, b"", b""), (b"f -1 1.0 644", b"./a", b""),
    (b"f " + b"9" * 30 + b" 1.0 644", b"./a", b""),
    (b"f 1 " + b"9" * 30 + b".0 644", b"./a", b""), (b"f 1 1.0 " + b"7" * 9000, b"./a", b""),
    (b"\xff 1 1.0 644", b"./a", b""), (b"", b"./a", b""), (ABOUT, b"./a", b"x" * 5000),
])  # fmt: skip
def test_a_survey_that_names_what_was_not_asked_for(fields: tuple[bytes, ...]) -> None:
    asker = ShellSurveyor(Liar(found(*fields)), PATHS, "me")
    with pytest.raises(HostError, match="liar: unexpected answer to the survey of /base/project"):
        asyncio.run(asker.survey([b"a"]))


def test_hashes_of_what_was_not_asked_for_are_passed_over() -> None:
    lines = [b"%064x  ./a" % 7, b"%064x  ./../x" % 7, b"\xff" * 64 + b"  ./a", b"z" * 64 + b"  ./a"]
    answer = asyncio.run(hashes(Liar(b"\n".join(lines)), "/base/project", [b"a", b"b"]))
    assert answer == {b"a": bytes(31) + b"\7"}


def test_what_the_far_rsync_says_is_kept_in_part() -> None:
    said = rsync_output.RsyncOutput()
    for _ in range(5000):
        rsync_output.keep(said.remote, b"x" * 50_000)
    assert len(said.text) < 2 << 20
    line = b"\r 1 9% " + b"1.1.1" + b"kB/s"
    assert rsync_process._PROGRESS.match(line) is None


# -- words


def test_what_a_host_says_is_shortened() -> None:
    flood = "x" * 5_000_000
    assert len(words(flood)) == len(words(flood.encode())) == MOST_WORDS
    assert words(b"a\n\r\tb\xff") == "a b�"
    assert len(HostError(flood, flood).message) == len(HostError("", flood).hint) == MOST_TOLD
    assert len(last_line(flood)) == MOST_WORDS
    assert len(engine_error(DOCKER, 1, "e\n" * 5_000_000).message) < 200


def test_numbers_are_numbers() -> None:
    shape = members({"n": number(0, 9)})
    for bad in ("true", "1.0", "10", "-1", '"1"', "null", "NaN", "1e5", "9" * 5000):
        with pytest.raises(WrongShape):
            parsed(b'{"n": %s}' % bad.encode(), shape, "it")
    assert parsed(b'{"n": 9}', shape, "it") == {"n": 9}
