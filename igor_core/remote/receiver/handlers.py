"""The handler of each frame. Runs on hosts (Python 3.6+)."""

import collections
import json
import os
import time

from igor_core.remote.receiver import files, frames
from igor_core.remote.receiver.delete import delete
from igor_core.remote.receiver.expect import Expectation, Unexpected, open_file
from igor_core.remote.receiver.incoming import IncomingFile
from igor_core.remote.receiver.opening import Claimed, open_tree
from igor_core.remote.receiver.own import Unsafe
from igor_core.remote.receiver.patch import patch
from igor_core.remote.receiver.survey import PathList, hashes, survey, unpack_paths
from igor_core.remote.receiver.tree import Failed

NO_STATE = (b"\0", 0, 0, 0, b"")


class BadFrame(Exception):
    """A frame that no agent of this version sends."""


class Handlers:
    """The open trees, the uploads, and the long jobs (surveys and hashes).

    `send(kind, number, payload)` sends an answer.
    """

    def __init__(self, send):
        self.send = send
        self.trees = {}
        self.missing = set()
        self.uploads = {}
        self.jobs = collections.deque()
        self.reported = time.monotonic()
        self.handlers = {
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
        }

    def handle(self, kind, number, payload):
        if kind not in self.handlers:
            raise BadFrame(f"kind {kind}")
        self.handlers[kind](number, payload)

    def step(self):
        """Do one step of the oldest job."""
        number, kind, parts = self.jobs[0]
        try:
            part = next(parts)
        except StopIteration:
            self.jobs.popleft()
            part = b""
        if part is None and time.monotonic() - self.reported > frames.WORKING_SECONDS:
            kind, part = frames.WORKING, b""
        if part is not None:
            self.reported = time.monotonic()
            self.send(kind, number, part)

    def forget_folders(self):
        """Close the open folders, since they may have been moved."""
        for tree in self.trees.values():
            tree.forget_folders()

    def close(self):
        """Close all trees, and remove their temp files."""
        for upload in self.uploads.values():
            upload.abort()
        for tree in self.trees.values():
            tree.close()

    # -- trees

    def open_tree(self, number, payload):
        (ident,) = frames.NUMBER.unpack_from(payload)
        request = json.loads(payload[frames.NUMBER.size :].decode("ascii"))
        texts = [request[name] for name in ("base", "project", "claim")]
        base, project, claim = (text.encode("utf-8", "surrogateescape") for text in texts)
        said = {"path": "", "exists": False, "claimed_by": "", "error": ""}
        try:
            path, tree = open_tree(base, project, claim, request["writing"], request["taking"])
            said.update(path=path.decode("utf-8", "surrogateescape"), exists=tree is not None)
            self.replace_tree(ident, tree)
        except Claimed as claimed:
            said.update(exists=True, claimed_by=str(claimed))
        except Unsafe as unsafe:
            said.update(error=str(unsafe), unsafe=True)
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
            raise BadFrame(f"tree {ident} is not open")
        return self.trees[ident]

    # -- files

    def entry(self, payload):
        """The entry that a TARGET names, and what follows it."""
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
            raise BadFrame("a target that is cut off")
        expect = Expectation(flags, versions, targets)
        return files.TreeEntry(self.tree(ident), path, expect, mode, mtime_ns), payload[at:]

    def answer(self, number, action):
        """Answer with the outcome of an action."""
        self.reply(number, *attempt(action))

    def reply(self, number, done, state, content=b"", obstacle=b"", reason=""):
        kind, size, mtime_ns, mode, target = state or NO_STATE
        words = reason.encode("utf-8", "replace")[:1000]
        lengths = (len(target), len(content), len(obstacle), len(words))
        head = frames.REPLY.pack(done, kind, size, mtime_ns, mode, *lengths)
        self.send(frames.ANSWER, number, head + target + content + obstacle + words)

    def write(self, number, payload):
        self.answer(number, lambda: files.write(*self.entry(payload)))

    def link(self, number, payload):
        self.answer(number, lambda: files.link(*self.entry(payload)))

    def patch(self, number, payload):
        def action():
            entry, rest = self.entry(payload)
            size, mtime_ns, prefix, suffix, content = frames.BASE.unpack_from(rest)
            middle = rest[frames.BASE.size :]
            return patch(entry, (size, mtime_ns), prefix, suffix, content, middle)

        self.answer(number, action)

    def delete(self, number, payload):
        def action():
            entry, rest = self.entry(payload)
            delete(entry, rest.split(b"\0") if rest else [])

        self.answer(number, action)

    def begin(self, number, payload):
        def action():
            entry, rest = self.entry(payload)
            self.uploads[number] = IncomingFile(entry, frames.SIZE.unpack(rest)[0])

        outcome = attempt(action)
        if number not in self.uploads:
            self.reply(number, *outcome)

    def chunk(self, number, payload):
        upload = self.uploads.get(number)
        if upload is not None:
            outcome = attempt(lambda: upload.take(payload))
            if not outcome[0]:
                self.uploads.pop(number).abort()
                self.reply(number, *outcome)
        self.send(frames.TAKEN, number, frames.NUMBER.pack(len(payload)))

    def commit(self, number, _payload):
        upload = self.uploads.pop(number, None)
        if upload is not None:
            self.answer(number, upload.commit)
            upload.abort()

    def abort(self, number, _payload):
        upload = self.uploads.pop(number, None)
        if upload is not None:
            upload.abort()

    # -- surveys, hashes and contents

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
            raise BadFrame("an unknown list")
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


def attempt(action):
    """The arguments of `reply` after the number: done or not, the state, and so on."""
    try:
        return True, action()
    except Unexpected as unexpected:
        return False, unexpected.state, unexpected.content
    except Failed as failed:
        return False, None, b"", failed.obstacle, failed.reason
    except OSError as error:
        return False, None, b"", b"", error.strerror or str(error)


def read_file(tree, path, limit):
    entry = files.TreeEntry(tree, path, None, 0, 0)
    descriptor = open_file(tree.folder(entry.folder).descriptor, entry.name)
    with open(descriptor, "rb") as stream:
        return stream.read(limit)
