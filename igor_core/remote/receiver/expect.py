"""Checking whether a path is what a frame expects. Runs on hosts (Python 3.6+)."""

import hashlib
import os
import stat

from igor_core.remote.receiver.frames import ABSENT, ANYTHING, HASHED_AT_ONCE

_KINDS = {
    stat.S_IFREG: b"f",
    stat.S_IFDIR: b"d",
    stat.S_IFLNK: b"l",
    stat.S_IFIFO: b"p",
    stat.S_IFSOCK: b"s",
    stat.S_IFBLK: b"b",
    stat.S_IFCHR: b"c",
}
CHUNK = 1 << 20
_TRIES = 3


class Unexpected(Exception):
    """The path is not as expected: its state, None for nothing, and the hash of its content."""

    def __init__(self, state, content=b""):
        Exception.__init__(self)
        self.state = state
        self.content = content


def state_of(found, folder, name):
    """Kind, size, time, mode and target, the agent's `State`; None for nothing."""
    if found is None:
        return None
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), b"?")
    target = os.readlink(name, dir_fd=folder) if kind == b"l" else b""
    return kind, found.st_size, found.st_mtime_ns, found.st_mode & 0o777, target


def open_file(folder, name):
    """Open a regular file to read, without following a link or waiting for a pipe."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a file")
    return descriptor


def hash_in_steps(descriptor):
    """Yield None for each piece read, and the sha256 of the file at last."""
    digest = hashlib.sha256()
    while True:
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            break
        digest.update(chunk)
        yield None
    yield digest.digest()


def content_hash(folder, name, found):
    """The file's stat and the hash of just that version; the hash is empty if it is unknown."""
    if found.st_size > HASHED_AT_ONCE:
        return found, b""
    try:
        for _ in range(_TRIES):
            descriptor = open_file(folder, name)
            try:
                before = os.fstat(descriptor)
                *_ignored, content = hash_in_steps(descriptor)
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return after, content
    except OSError:
        pass
    return found, b""


class Expectation:
    """What may be at a path: flags, versions (size, time, hash) and link targets."""

    __slots__ = ("flags", "targets", "versions")

    def __init__(self, flags, versions, targets):
        self.flags = flags
        self.versions = versions
        self.targets = targets

    @property
    def only_nothing(self):
        return self.flags == ABSENT and not self.versions and not self.targets

    def check(self, found, folder, name):
        """Return the stat of what may be replaced, None for nothing. Raises Unexpected."""
        if found is None:
            if self.flags & ABSENT:
                return None
            raise Unexpected(None)
        kind = stat.S_IFMT(found.st_mode)
        if kind != stat.S_IFDIR and self.flags & ANYTHING:
            return found
        state = state_of(found, folder, name)
        if kind == stat.S_IFLNK and state[4] in self.targets:
            return found
        if kind == stat.S_IFREG:
            return self._check_file(found, folder, name)
        raise Unexpected(state)

    def _check_file(self, found, folder, name):
        # Size and time can be the same for another content, after `cp -p` or `touch -r`.
        found, content = content_hash(folder, name, found)
        for size, mtime_ns, expected in self.versions:
            if size != found.st_size:
                continue
            if expected == content if expected and content else mtime_ns == found.st_mtime_ns:
                return found
        raise Unexpected(state_of(found, folder, name), content)
