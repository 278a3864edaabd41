# mypy: ignore-errors
"""The receiver: runs on the host, and writes there what the agent sends.

Standard-library Python 3.6+, sent over the wire to `python3` on the host, as are the modules that
it imports from here; nothing is installed. The frames are those of receiver_frames.py.

It waits with the trees open, so that a save costs half a round trip; it does each thing only if
what is there is what the frame expects, so that no save waits for a question and nothing that
igor did not write is lost. One thread does all in the order of the frames, but for surveys and
hashes, which go on step by step between them. It ends with its input, on a signal, or when it
hears nothing for 30 s, and leaves no temp file.
"""

import collections
import contextlib
import json
import os
import select
import signal
import struct
import sys
import time

from igor_core.push import receiver_files as files
from igor_core.push import receiver_frames as frames
from igor_core.push.receiver_expect import Expectation, Refused, open_file
from igor_core.push.receiver_open import Claimed, open_tree
from igor_core.push.receiver_survey import PathList, hashes, survey, unpack_paths
from igor_core.push.receiver_tree import Failed
from igor_core.push.receiver_uploads import Upload
from igor_core.ssh.program_frames import BEAT, HEADER, READY, SILENCE_SECONDS

READ_BYTES = 1 << 18
# Answers are sent together, but not later than when there are so many.
FLUSH_BYTES = 1 << 15
# Nothing more is read while so much waits to be sent.
MOST_WAITING = 1 << 20
# So often before others have their turn, and folders are looked for anew.
READS_A_TURN = 8
NO_STATE = (b"\0", 0, 0, 0, b"")


class Nonsense(Exception):
    """A frame that no agent of this version sends."""


class Receiver:
    """The loop: frames in, answers out."""

    def __init__(self, first):
        self.trees = {}
        self.missing = set()
        self.uploads = {}
        self.jobs = collections.deque()
        self.inbox = bytearray(first)
        self.outbox = bytearray(frames.MAGIC)
        self.heard = time.monotonic()
        self.open = True
        self.woken, self.waker = os.pipe()
        for descriptor in (0, 1, self.woken, self.waker):
            os.set_blocking(descriptor, False)
        self.orders = {
            frames.OPEN: self.open_tree,
            frames.WRITE: self.write,
            frames.PATCH: self.patch,
            frames.LINK: self.link,
            frames.DELETE: self.delete,
            frames.BEGIN: self.begin,
            frames.CHUNK: self.chunk,
            frames.COMMIT: self.commit,
            frames.ABORT: self.abort,
            frames.LIST: self.take_list,
            frames.SURVEY: self.survey,
            frames.HASHES: self.hashes,
            frames.READ: self.read,
            BEAT: self.beat,
        }

    # -- the loop

    def run(self):
        about = {"pid": os.getpid(), "python": list(sys.version_info[:3])}
        self.send(READY, 0, json.dumps(about).encode("ascii"))
        try:
            self.take_frames()
            while self.open:
                self.turn()
        except (Nonsense, ValueError, LookupError, struct.error) as error:
            said = str(error) or type(error).__name__
            self.send(frames.NONSENSE, 0, said.encode("utf-8", "replace"))
            self.flush()
        finally:
            self.leave()

    def turn(self):
        self.flush()
        for tree in self.trees.values():
            tree.forget_folders()
        full = len(self.outbox) >= MOST_WAITING
        reading = [self.woken] if full else [0, self.woken]
        idle = full or not self.jobs
        wait = SILENCE_SECONDS / 3 if idle else 0
        readable, _, _ = select.select(reading, [1] if self.outbox else [], [], wait)
        if 0 in readable:
            self.read_frames()
        elif not idle:
            self.step()
        elif time.monotonic() - self.heard > SILENCE_SECONDS:
            self.open = False

    def read_frames(self):
        """What is there; the answers leave when there is no more."""
        for _ in range(READS_A_TURN):
            if not self.open or len(self.outbox) >= MOST_WAITING:
                return
            try:
                data = os.read(0, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.open = False
                return
            self.inbox += data
            self.take_frames()
            if len(self.outbox) >= FLUSH_BYTES:
                self.flush()

    def take_frames(self):
        self.heard = time.monotonic()
        at = 0
        while len(self.inbox) - at >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self.inbox, at)
            if length > frames.MOST_BYTES or kind not in self.orders:
                raise Nonsense(f"kind {kind}, {length} bytes")
            start = at + HEADER.size
            if len(self.inbox) - start < length:
                break
            at = start + length
            self.orders[kind](number, bytes(self.inbox[start:at]))
        del self.inbox[:at]

    def step(self):
        """One step of the oldest of what takes long."""
        number, kind, parts = self.jobs[0]
        try:
            part = next(parts)
        except StopIteration:
            self.jobs.popleft()
            part = b""
        if part is not None:
            self.send(kind, number, part)

    def send(self, kind, number, payload):
        self.outbox += HEADER.pack(kind, number, len(payload)) + payload

    def flush(self):
        try:
            while self.outbox:
                del self.outbox[: os.write(1, self.outbox)]
        except BlockingIOError:
            pass
        except OSError:
            self.open = False

    def stop(self, *_ignored):
        self.open = False
        with contextlib.suppress(BlockingIOError):
            os.write(self.waker, b"\0")

    def leave(self):
        """No temp file stays."""
        for upload in self.uploads.values():
            upload.abort()
        for tree in self.trees.values():
            tree.close()

    # -- trees

    def open_tree(self, number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        order = json.loads(payload[frames.NUMBER.size :].decode("ascii"))
        texts = [order[name] for name in ("base", "project", "claim")]
        base, project, claim = (text.encode("utf-8", "surrogateescape") for text in texts)
        said = {"path": "", "exists": False, "claimed_by": "", "error": ""}
        try:
            path, tree = open_tree(base, project, claim, order["writing"], order["taking"])
            said.update(path=path.decode("utf-8", "surrogateescape"), exists=tree is not None)
            self.replace_tree(ident, tree)
        except Claimed as claimed:
            said.update(exists=True, claimed_by=str(claimed))
        except OSError as error:
            where = os.fsencode(error.filename or b"").decode("utf-8", "surrogateescape")
            said["error"] = f"{where}: {error.strerror}"
        self.send(frames.OPENED, number, json.dumps(said).encode("ascii"))

    def replace_tree(self, ident, tree):
        known = self.trees.get(ident)
        if known is not None:
            if tree is not None and known.is_like(tree):
                tree.close()
                return
            if tree is not None:
                tree.list = known.list
            self.trees.pop(ident).close()
        if tree is None:
            self.missing.add(ident)
        else:
            self.missing.discard(ident)
            self.trees[ident] = tree

    def tree(self, ident):
        if ident in self.missing:
            raise Failed(os.strerror(2))
        if ident not in self.trees:
            raise Nonsense(f"tree {ident} is not open")
        return self.trees[ident]

    # -- files

    def place(self, payload):
        """The place that a TARGET names, and what follows it."""
        ident, mode, mtime_ns, length, flags, count, links = frames.TARGET.unpack_from(payload)
        at = frames.TARGET.size
        path = payload[at : at + length]
        at += length
        versions = []
        for _ in range(count):
            size, time_ns = frames.VERSION.unpack_from(payload, at)
            at += frames.VERSION.size + frames.HASH_SIZE
            content = payload[at - frames.HASH_SIZE : at]
            versions.append((size, time_ns, content if content != frames.NO_HASH else b""))
        targets = []
        for _ in range(links):
            (length,) = frames.LENGTH.unpack_from(payload, at)
            at += frames.LENGTH.size + length
            targets.append(payload[at - length : at])
        if at > len(payload):
            raise Nonsense("a target that is cut off")
        expect = Expectation(flags, versions, targets)
        return files.Place(self.tree(ident), path, expect, mode, mtime_ns), payload[at:]

    def answer(self, number, action):
        """Do it, and say how it went. True where it was done."""
        done, state, content, obstacle, reason = False, None, b"", b"", ""
        try:
            state = action()
            done = True
        except Refused as refused:
            state, content = refused.state, refused.content
        except Failed as failed:
            reason, obstacle = failed.reason, failed.obstacle
        except OSError as error:
            reason = error.strerror or str(error)
        kind, size, mtime_ns, mode, target = state or NO_STATE
        words = reason.encode("utf-8", "replace")[:1000]
        lengths = (len(target), len(content), len(obstacle), len(words))
        head = frames.REPLY.pack(done, kind, size, mtime_ns, mode, *lengths)
        self.send(frames.ANSWER, number, head + target + content + obstacle + words)
        return done

    def write(self, number, payload):
        self.answer(number, lambda: files.write(*self.place(payload)))

    def link(self, number, payload):
        self.answer(number, lambda: files.link(*self.place(payload)))

    def patch(self, number, payload):
        def action():
            place, rest = self.place(payload)
            size, mtime_ns, prefix, suffix, content = frames.BASE.unpack_from(rest)
            middle = rest[frames.BASE.size :]
            return files.patch(place, (size, mtime_ns), prefix, suffix, content, middle)

        self.answer(number, action)

    def delete(self, number, payload):
        def action():
            place, rest = self.place(payload)
            files.delete(place, rest.split(b"\0") if rest else [])

        self.answer(number, action)

    def begin(self, number, payload):
        def action():
            place, rest = self.place(payload)
            self.uploads[number] = Upload(place, frames.SIZE.unpack(rest)[0])

        count = len(self.outbox)
        if self.answer(number, action):
            # It is answered when all has arrived.
            del self.outbox[count:]

    def chunk(self, number, payload):
        if number in self.uploads:
            try:
                self.uploads[number].take(payload)
            except OSError as error:
                self.give_up(number, error)
        self.send(frames.TAKEN, number, frames.NUMBER.pack(len(payload)))

    def give_up(self, number, error):
        def action():
            raise error

        self.uploads.pop(number).abort()
        self.answer(number, action)

    def commit(self, number, _payload):
        upload = self.uploads.pop(number, None)
        if upload is not None and not self.answer(number, upload.commit):
            upload.abort()

    def abort(self, number, _payload):
        upload = self.uploads.pop(number, None)
        if upload is not None:
            upload.abort()

    # -- questions

    def take_list(self, _number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        packed = payload[frames.NUMBER.size :]
        if ident not in self.missing:
            self.tree(ident).list = PathList(frames.list_hash(packed), unpack_paths(packed))

    def survey(self, number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        at = frames.NUMBER.size + frames.LIST_HASH_SIZE
        tree = self.tree(ident)
        if tree.list is None or tree.list.ident != payload[frames.NUMBER.size : at]:
            raise Nonsense("a list that is not known")
        self.jobs.append((number, frames.SURVEYED, survey(tree, tree.list, payload[at:])))

    def hashes(self, number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        listed = PathList(b"", unpack_paths(payload[frames.NUMBER.size :]))
        self.jobs.append((number, frames.HASHED, hashes(self.tree(ident), listed.paths)))

    def read(self, number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        (limit,) = frames.NUMBER.unpack_from(payload, frames.NUMBER.size)
        path = payload[2 * frames.NUMBER.size :]
        try:
            said = b"\1" + read_file(self.tree(ident), path, min(limit, frames.MOST_BYTES))
        except Failed as failed:
            said = b"\0" + failed.reason.encode("utf-8", "replace")
        except OSError as error:
            said = b"\0" + (error.strerror or str(error)).encode("utf-8", "replace")
        self.send(frames.CONTENT, number, said)

    def beat(self, number, payload):
        self.send(BEAT, number, payload)


def read_file(tree, path, limit):
    place = files.Place(tree, path, None, 0, 0)
    descriptor = open_file(tree.folder(place.folder).descriptor, place.name)
    with open(descriptor, "rb") as stream:
        return stream.read(limit)


def main():
    # What came along with this source is already in the buffer; the agent sends at least a BEAT.
    receiver = Receiver(sys.stdin.buffer.read1(1 << 16))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(name, receiver.stop)
    receiver.run()
