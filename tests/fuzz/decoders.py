"""Everything that reads bytes of others: for each reader what holds for any bytes at all.

`CHECKS` are by name, which is also the name of its folder in `corpus`.
"""

import asyncio
import contextlib
import json
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from igor_core import shapes
from igor_core.agent import protocol
from igor_core.config import ConfigError, Problem
from igor_core.config.read import parse as parse_config
from igor_core.debug.editors.json_edit import CannotEdit, check, without_comments
from igor_core.debug.port.dap_rewrite import Answers, Rewriting
from igor_core.doctor.host_facts import parse as parse_host
from igor_core.doctor.host_facts import space
from igor_core.doctor.ports import listening_programs
from igor_core.output import OutputParser, SourceTree, location_at
from igor_core.output.line_splitter import LONGEST_LINE, LineSplitter
from igor_core.push.channel import payloads
from igor_core.push.channel.answers import differing, read_answer
from igor_core.push.channel.precondition import Precondition
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.remote import frames as program_frames
from igor_core.remote.debug_helper import dap
from igor_core.remote.debug_helper import frames as helper_frames
from igor_core.remote.process_probe.dumps import parse_dump
from igor_core.remote.receiver import frames as receiver_frames
from igor_core.remote.receiver.handlers import BadFrame, Handlers
from igor_core.remote.supervisor import announcement
from igor_core.ssh.remote_program import ProgramSpec, RemoteProgram
from igor_core.ssh.supervisor_client import SUPERVISOR

# What Program and Receiver take for nonsense from the other side.
NONSENSE = (ValueError, LookupError, struct.error)
MAGIC = b"\0igor-fuzz-1\n"

Feed = Callable[[bytes], Any]


def pieces(data: bytes) -> Iterator[list[bytes]]:
    """The same bytes whole, one by one, and cut in two and three."""
    yield [data]
    if len(data) <= 400:
        yield [data[at : at + 1] for at in range(len(data))]
    for size in {max(1, len(data) // 2), max(1, len(data) // 3)}:
        yield [data[at : at + size] for at in range(0, len(data), size)]


def same_however_cut(data: bytes, new: Callable[[], Feed], *errors: type[Exception]) -> list[Any]:
    """What comes out, which is the same however the bytes are cut; only `errors` are raised."""
    outcomes = []
    for cut in pieces(data):
        feed, found, refused = new(), list[Any](), False
        try:
            for piece in cut:
                found += feed(piece)
        except errors:
            refused = True
        outcomes.append((found, refused))
    assert len({refused for _found, refused in outcomes}) == 1
    if not outcomes[0][1]:
        assert all(found == outcomes[0][0] for found, _refused in outcomes)
    return outcomes[0][0]


def agent(data: bytes) -> None:
    def new() -> Feed:
        decoder = protocol.Decoder()
        return lambda piece: list(decoder.feed(piece))

    for frame in same_however_cut(data, new, protocol.ProtocolError):
        kind, ident, *fields = frame
        assert isinstance(kind, protocol.Kind)
        assert isinstance(ident, int)
        wanted = protocol.FIELDS[kind]
        assert len(fields) >= len(wanted)
        assert all(map(isinstance, fields, wanted))


class Channel:
    """What a session writes to, where nobody listens."""

    def set_write_buffer_limits(self, _most: int) -> None: ...
    def get_extra_info(self, _name: str) -> None: ...
    def write(self, _data: bytes) -> None: ...
    def close(self) -> None: ...


def program(data: bytes) -> None:
    """The agent's end of every program on a host."""

    async def outcome(cut: list[bytes]) -> tuple[list[Any], bool]:
        found: list[Any] = []
        session = RemoteProgram(
            ProgramSpec(SUPERVISOR.bundle, MAGIC, shapes.anything),
            lambda *frame: found.append(frame),
            lambda: None,
        )
        session.connection_made(Channel())  # type: ignore[arg-type]
        for piece in cut:
            if session.alive:
                session.data_received(piece, None)
        return found, session.alive

    outcomes = [asyncio.run(outcome(cut)) for cut in pieces(MAGIC + data)]
    assert all(other == outcomes[0] for other in outcomes)
    for kind, _number, _payload in outcomes[0][0]:
        assert kind not in (program_frames.BEAT, program_frames.READY)


def answer(data: bytes) -> None:
    try:
        found = read_answer(data)
    except NONSENSE:
        return
    size = sum(map(len, (found.hash, found.obstacle)))
    assert size <= len(data)


QUESTION = SurveyRequest.of([b"a", b"b", b"c/d"], {})


def survey(data: bytes) -> None:
    try:
        found = differing(QUESTION, data)
    except NONSENSE:
        return
    assert set(found) <= set(QUESTION.paths)


def receiver(data: bytes) -> None:
    """The receiver's end, with a tree open: nothing beside the tree is touched."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "base")
        outside = Path(folder, "outside")
        outside.write_text("as it was")
        handlers = Handlers(lambda *_frame: None)
        asked = {"base": str(base), "project": "p", "claim": "c", "writing": True, "taking": False}
        order = json.dumps(asked).encode()
        handlers.handle(receiver_frames.OPEN, 1, payloads.number(1) + order)
        (base / "p" / "out").symlink_to("..")
        try:
            for kind, number, payload in frames(data):
                if kind != receiver_frames.OPEN:
                    handlers.handle(kind, number, payload)
                for _ in range(len(handlers.jobs)):
                    handlers.step()
        except (BadFrame, *NONSENSE):
            pass
        finally:
            handlers.close()
        assert sorted(os.listdir(folder)) == ["base", "outside"]
        assert sorted(os.listdir(base)) == [".igor-host", "p"]
        assert outside.read_text() == "as it was"
        assert not any((base / ".igor-host" / "tmp" / "p").iterdir())


def frames(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The whole frames in bytes, as remote/frames.py has them."""
    header = program_frames.HEADER
    while len(data) >= header.size:
        kind, number, length = header.unpack_from(data)
        if len(data) - header.size < length:
            return
        yield kind, number, data[header.size : header.size + length]
        data = data[header.size + length :]


def helper(data: bytes) -> None:
    found = same_however_cut(data, lambda: helper_frames.Frames().feed, ValueError)
    packed = b"".join(helper_frames.frame(*frame) for frame in found)
    assert data.startswith(packed)


def debugger(data: bytes) -> None:
    """Both directions of a debugger's connection."""
    bodies = same_however_cut(data, lambda: dap.Messages().feed, ValueError)
    again = b"".join(map(dap.packed, bodies))
    assert dap.Messages().feed(again) == bodies
    for reader in (Rewriting(1), Answers()):
        try:
            reader.feed(data)
        except ValueError:
            continue


def announced(data: bytes) -> None:
    outcomes = set()
    for cut in pieces(data):
        reader = announcement.Announcement()
        said = b"".join(map(reader.feed, cut)) + reader.rest()
        assert len(said) <= len(data)
        outcomes.add((said, reader.pid))
    mark = re.escape(announcement.ANNOUNCE)
    if announcement.ANNOUNCE not in data or re.match(rb".*?%b\d{1,9}\n" % mark, data, re.DOTALL):
        assert len(outcomes) == 1


FILES = ["train.py", "pkg/model.py", "Makefile", "sub/a b.py", "Dockerfile", "x/../y.py"]
TREE = SourceTree.of(
    "/local", ["/workspace"], FILES, working="pkg", dockerfile="Dockerfile",
    dockerfile_text="FROM a\nRUN b\n",
)  # fmt: skip


def output(data: bytes) -> None:
    """What programs print."""
    outcomes = []
    for cut in pieces(data):
        places = OutputParser({"apollo": TREE})
        for piece in cut:
            places.feed("apollo", "stdout", piece)
        outcomes.append(places.finish())
    assert all(other == outcomes[0] for other in outcomes)
    for entry in outcomes[0]:
        inside = entry.path.removeprefix("/local/")
        assert (inside in FILES) if entry.path else entry.remote.startswith("/")
        assert "\0" not in entry.name
        assert "\n" not in entry.text
        assert entry.line >= 0
        assert entry.column >= 0
        json.dumps(entry.to_wire())
    for line in data.decode("utf-8", "replace").splitlines():
        target = location_at(line, len(line) // 2, {"apollo": TREE}, "apollo")
        assert target is None or target.name.startswith(("/local/", "igor://apollo/"))


def lines(data: bytes) -> None:
    def new() -> Feed:
        reader = LineSplitter()
        return lambda piece: list(reader.feed(piece))

    for line in same_however_cut(data, new):
        assert len(line) <= LONGEST_LINE
        assert not set(line) & set(map(chr, (*range(9), *range(10, 32), 127)))


def config(data: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse_config(data, Path("config.json"))
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        assert 0 <= problem.line <= data.count(b"\n") + 1
        assert problem.message


def editors_file(data: bytes) -> None:
    """.vimspector.json and launch.json, into which igor writes."""
    text = data.decode("utf-8", "replace")
    assert len(without_comments(text)) == len(text)
    with contextlib.suppress(CannotEdit):
        check(text)


def doctor(data: bytes) -> None:
    facts = parse_host(data)
    space(facts.space)
    listening_programs(facts.listening)


def stacks(data: bytes) -> None:
    for thread in parse_dump(data.decode("ascii", "replace")):
        assert thread["id"] >= 0


def target(path: bytes, expect: Precondition | None = None) -> bytes:
    return payloads.target(1, path, expect or Precondition(absent=True))


CHECKS: dict[str, Callable[[bytes], None]] = {
    check.__name__: check
    for check in (
        agent, program, answer, survey, receiver, helper, debugger, announced, output, lines,
        config, editors_file, doctor, stacks,
    )
}  # fmt: skip
