"""For tests of the receiver: the host's side as a local process, without ssh."""

import hashlib
import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from types import ModuleType
from typing import Any

from igor_core.push.channel import payloads
from igor_core.push.channel.answers import Answer, differing, read_answer
from igor_core.push.channel.precondition import NOTHING, Precondition, Version
from igor_core.push.channel.script import RECEIVER
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest, pack_paths
from igor_core.remote.frames import BEAT, HEADER, READY
from igor_core.remote.packer import Bundle
from igor_core.remote.receiver import frames

MTIME = 1_600_000_000_123_456_789


class Ended(Exception):
    """The receiver has ended; the message is its last output."""


class Receiver:
    """A receiver, with the frames to and from it one by one."""

    def __init__(self, python: str = "python3", wrapper: tuple[str, ...] = ()) -> None:
        line = RECEIVER.command_line.replace("python3", python, 1)
        self.process = subprocess.Popen(
            [*wrapper, "sh", "-c", line], stdin=PIPE, stdout=PIPE, stderr=PIPE, bufsize=0
        )
        self.inbox = b""
        self.last = 0
        assert self.process.stdin
        self.process.stdin.write(RECEIVER.bundle.payload + HEADER.pack(BEAT, 0, 0))
        while frames.MAGIC not in self.inbox:
            self._read()
        self.inbox = self.inbox.partition(frames.MAGIC)[2]
        kind, _number, payload = self.frame()
        assert kind == READY
        self.facts = json.loads(payload)
        assert self.frame() == (BEAT, 0, b"")

    # -- frames

    def send(self, kind: int, *payload: bytes, number: int | None = None) -> int:
        if number is None:
            self.last += 1
            number = self.last
        data = b"".join(payload)
        self.raw(HEADER.pack(kind, number, len(data)) + data)
        return number

    def raw(self, data: bytes) -> None:
        assert self.process.stdin
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view) :]

    def frame(self) -> tuple[int, int, bytes]:
        while True:
            if len(self.inbox) >= HEADER.size:
                kind, number, length = HEADER.unpack_from(self.inbox)
                end = HEADER.size + length
                if len(self.inbox) >= end:
                    payload, self.inbox = self.inbox[HEADER.size : end], self.inbox[end:]
                    return kind, number, payload
            self._read()

    def ask(self, kind: int, *payload: bytes) -> tuple[int, bytes]:
        number = self.send(kind, *payload)
        answered, to, said = self.frame()
        assert to == number
        return answered, said

    def _read(self) -> None:
        assert self.process.stdout
        assert select.select([self.process.stdout], [], [], 20)[0], "it says nothing"
        data = os.read(self.process.stdout.fileno(), 1 << 20)
        if not data:
            assert self.process.stderr
            raise Ended(self.process.stderr.read().decode())
        self.inbox += data

    def nothing_more(self, seconds: float = 0.2) -> bool:
        return not self.inbox and not select.select([self.process.stdout], [], [], seconds)[0]

    # -- requests of an agent

    def open(
        self, base: Path, project: str = "p", claim: str = "me", tree: int = 1, **options: Any
    ) -> dict[str, Any]:
        order = {"base": str(base), "project": project, "claim": claim, "writing": True,
                 "taking": False, **options}  # fmt: skip
        kind, said = self.ask(frames.OPEN, payloads.number(tree), json.dumps(order).encode())
        assert kind == frames.OPENED
        found: dict[str, Any] = json.loads(said)
        return found

    def write(
        self,
        path: bytes | str,
        content: bytes = b"new",
        expect: Precondition = NOTHING,
        mode: int = 0o644,
        mtime_ns: int = MTIME,
        tree: int = 1,
    ) -> Answer:
        head = payloads.target(tree, os.fsencode(path), expect, mode, mtime_ns)
        return self.answer(frames.WRITE, head, content)

    def delete(self, path: bytes | str, expect: Precondition, *folders: bytes) -> Answer:
        head = payloads.target(1, os.fsencode(path), expect)
        return self.answer(frames.DELETE, head, b"\0".join(folders))

    def link(self, path: bytes | str, target: bytes, expect: Precondition = NOTHING) -> Answer:
        head = payloads.target(1, os.fsencode(path), expect, 0, MTIME)
        return self.answer(frames.LINK, head, target)

    def patch(
        self, path: str, base: Version, prefix: int, suffix: int, middle: bytes, content: bytes,
        expect: Precondition,
    ) -> Answer:  # fmt: skip
        head = payloads.target(1, os.fsencode(path), expect, 0o644, MTIME)
        return self.answer(frames.PATCH, head, payloads.base(base, prefix, suffix, content), middle)

    def answer(self, kind: int, *payload: bytes) -> Answer:
        answered, said = self.ask(kind, *payload)
        assert answered == frames.ANSWER, (answered, said)
        return read_answer(said)

    def begin(self, path: str, size: int, expect: Precondition = NOTHING) -> int:
        head = payloads.target(1, os.fsencode(path), expect, 0o644, MTIME)
        return self.send(frames.BEGIN, head, frames.SIZE.pack(size))

    def chunk(self, number: int, data: bytes) -> None:
        self.send(frames.CHUNK, data, number=number)
        assert self.frame() == (frames.TAKEN, number, payloads.number(len(data)))

    def survey(self, question: SurveyRequest, tree: int = 1) -> dict[bytes, State | None]:
        self.send(frames.LIST, payloads.number(tree), question.packed)
        return self.survey_again(question, tree)

    def survey_again(self, question: SurveyRequest, tree: int = 1) -> dict[bytes, State | None]:
        found: dict[bytes, State | None] = {}
        parts = self.parts(
            frames.SURVEY, payloads.number(tree), question.list_hash, question.digests
        )
        for part in parts:
            found.update(differing(question, part))
        return found

    def hashes(self, *paths: bytes) -> dict[bytes, bytes]:
        parts = self.parts(frames.HASHES, payloads.number(1), pack_paths(paths))
        return {paths[n]: content for part in parts for n, content in frames.HASH.iter_unpack(part)}

    def parts(self, kind: int, *payload: bytes) -> Iterator[bytes]:
        number = self.send(kind, *payload)
        while True:
            _kind, to, part = self.frame()
            assert to == number
            if not part:
                return
            yield part

    # -- its end

    def end(self) -> int:
        """Close its input and wait for its end."""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        return self.process.wait(10)


@contextmanager
def receiver(**options: Any) -> Iterator[Receiver]:
    made = Receiver(**options)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.end()


@contextmanager
def changed_source(module: ModuleType, old: str, new: str) -> Iterator[None]:
    """Replace one line of the receiver's source, to simulate hosts that a test can't have."""
    bundle, changed = RECEIVER.bundle, Bundle(RECEIVER.bundle.main)
    source = bundle.sources[module.__name__]
    assert source.count(old) == 1
    vars(changed)["sources"] = {**bundle.sources, module.__name__: source.replace(old, new)}
    vars(RECEIVER)["bundle"] = changed
    try:
        assert changed.payload != bundle.payload
        yield
    finally:
        vars(RECEIVER)["bundle"] = bundle


def expecting(path: Path, content: bool = False) -> Precondition:
    """Expect exactly what exists now, by size and time; with `content`, by its hash too."""
    about = path.lstat()
    if path.is_symlink():
        return Precondition(targets=(os.fsencode(os.readlink(path)),))
    known = hashlib.sha256(path.read_bytes()).digest() if content else b""
    return Precondition(versions=(Version(about.st_size, about.st_mtime_ns, known),))


def entries(root: Path) -> dict[bytes, bytes]:
    """Return everything below a folder except folders: paths, with contents or link targets."""
    top, found = os.fsencode(root), {}
    for folder, folders, names in os.walk(top):
        for name in [*names, *folders]:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[os.path.relpath(path, top)] = os.readlink(path)
            elif os.path.isfile(path):
                found[os.path.relpath(path, top)] = Path(os.fsdecode(path)).read_bytes()
    return found
