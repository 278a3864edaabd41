"""Writing files under a temp name and renaming them over what is expected. (3.6+)

No file of a tree is ever opened for writing. A file is written under a temp name, gets its mode
and time, and appears at its path at once and whole.
"""

import contextlib
import errno
import hashlib
import os
import stat

from igor_core.remote.receiver import rename
from igor_core.remote.receiver.expect import CHUNK, Unexpected, open_file, state_of
from igor_core.remote.receiver.frames import ABSENT
from igor_core.remote.receiver.rename import Raced, look
from igor_core.remote.receiver.tree import Failed

_TRIES = 8


class TreeEntry:
    """A path in a tree, what is expected at it, and the mode and time to give it."""

    __slots__ = ("expect", "folder", "mode", "mtime_ns", "name", "path", "tree")

    def __init__(self, tree, path, expect, mode, mtime_ns):
        names = path.split(b"/")
        if b"" in names or b"." in names or b".." in names or b"\0" in path:
            raise Failed(os.strerror(errno.EINVAL))
        self.tree = tree
        self.path = path
        self.folder, _, self.name = path.rpartition(b"/")
        self.expect = expect
        self.mode = mode
        self.mtime_ns = mtime_ns

    def look(self):
        """Return the stat of what may be replaced, None for nothing. Raises Unexpected."""
        try:
            folder = self.tree.folder(self.folder).descriptor
        except FileNotFoundError:
            return self.expect.check(None, None, self.name)
        return self.expect.check(look(folder, self.name), folder, self.name)

    def make_way(self):
        """Like `look` before a write, which removes an empty folder in the way."""
        try:
            return self.look()
        except Unexpected as unexpected:
            is_folder = unexpected.state is not None and unexpected.state[0] == b"d"
            if not (is_folder and self.expect.flags == ABSENT):
                raise
            try:
                os.rmdir(self.name, dir_fd=self.tree.folder(self.folder).descriptor)
            except OSError:
                raise unexpected from None
            self.tree.forget_folders()
            return None

    def make_folder(self):
        return self.tree.folder(self.folder, True)

    def new_temp(self):
        return self.tree.temp(self.folder, self.make_folder())


def write(entry, content):
    """Write a file; return its state. Raises Unexpected, Failed, OSError."""

    def make(temp, descriptor):
        write_all(descriptor, content)

    try:
        return put(entry, make)
    except Unexpected as unexpected:
        if not is_equal(unexpected, content):
            raise
        return leave(entry, unexpected.state)


def is_equal(unexpected, content):
    """Whether the unexpected file has just the content that was to be written."""
    state = unexpected.state
    return (
        state is not None
        and state[:2] == (b"f", len(content))
        and unexpected.content == hashlib.sha256(content).digest()
    )


def leave(entry, state):
    """Leave an equal file as its owner made it, but for the executable bit, which git keeps."""
    if not (state[3] ^ entry.mode) & 0o100:
        return state
    folder = entry.tree.folder(entry.folder).descriptor
    descriptor = open_file(folder, entry.name)
    try:
        os.fchmod(descriptor, entry.mode)
        return state_of(os.fstat(descriptor), folder, entry.name)
    finally:
        os.close(descriptor)


def link(entry, target):
    def make(temp):
        os.symlink(target, temp.name, dir_fd=temp.folder)
        times = (entry.mtime_ns, entry.mtime_ns)
        os.utime(temp.name, ns=times, dir_fd=temp.folder, follow_symlinks=False)
        temp.identity = look(temp.folder, temp.name)

    found = entry.make_way()
    return publish(entry, with_temp(entry, make), found)


def put(entry, make):
    """Write a temp file with `make(temp, descriptor)`, and move it to its path."""
    # If nothing is expected, the rename itself finds out.
    found = None if entry.expect.only_nothing else entry.make_way()
    temp = with_temp(entry, lambda temp: make_file(entry, temp, make, found))
    return publish(entry, temp, found)


def with_temp(entry, make):
    """Make a temp file with `make`; remove it if that fails."""
    temp = entry.new_temp()
    try:
        make(temp)
    except FileNotFoundError:
        temp.remove()
        entry.tree.make_temporary_again()
        temp = entry.new_temp()
        try:
            make(temp)
        except BaseException:
            temp.remove()
            raise
    except BaseException:
        temp.remove()
        raise
    return temp


def make_file(entry, temp, make, found):
    descriptor = temp.open()
    try:
        make(temp, descriptor)
        finish(entry, temp, descriptor, found)
    finally:
        os.close(descriptor)


def finish(entry, temp, descriptor, found):
    """Set the group, mode and time of a written temp file."""
    group = entry.make_folder().group
    if found is not None and stat.S_ISREG(found.st_mode):
        group = found.st_gid
    if group is not None and group != os.fstat(descriptor).st_gid:
        # The user may not be in that group.
        with contextlib.suppress(OSError):
            os.fchown(descriptor, -1, group)
    os.fchmod(descriptor, entry.mode)
    os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
    temp.identity = os.fstat(descriptor)


def publish(entry, temp, found):
    """Move the temp file over what was found at its path; return its state."""
    try:
        for _ in range(_TRIES):
            try:
                _move_in(entry, temp, found)
                temp.done()
                return state_of(temp.identity, entry.make_folder().descriptor, entry.name)
            except Raced:
                found = entry.make_way()
            except FileNotFoundError:
                # The open folder was removed; if it was the temp folder, this fails again.
                entry.tree.forget_folders()
            except OSError as error:
                if error.errno != errno.EXDEV or temp.beside:
                    raise
                # Another file system with the same device number: a bind mount.
                entry.tree.elsewhere.add(entry.folder)
                temp = _copied_beside(entry, temp)
        raise Failed("it keeps changing on the host")
    except BaseException:
        if temp.name in entry.tree.temps:
            temp.remove()
        raise


def _move_in(entry, temp, found):
    folder = entry.make_folder().descriptor
    if found is None:
        rename.put_in(temp, folder, entry.name)
    else:
        rename.put_over(temp, folder, entry.name, found)


def _copied_beside(entry, temp):
    """Copy the temp file to the file system of its target."""
    new = entry.tree.temp_beside(entry.folder, entry.make_folder())
    try:
        if stat.S_ISLNK(temp.identity.st_mode):
            os.symlink(os.readlink(temp.name, dir_fd=temp.folder), new.name, dir_fd=new.folder)
            times = (entry.mtime_ns, entry.mtime_ns)
            os.utime(new.name, ns=times, dir_fd=new.folder, follow_symlinks=False)
            new.identity = look(new.folder, new.name)
        else:
            source = os.open(temp.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=temp.folder)
            try:
                make_file(entry, new, lambda _temp, sink: _copy_all(source, sink), None)
            finally:
                os.close(source)
    except BaseException:
        new.remove()
        raise
    temp.remove()
    return new


def _copy_all(source, sink):
    while True:
        chunk = os.read(source, CHUNK)
        if not chunk:
            return
        write_all(sink, chunk)


def write_all(descriptor, content):
    while len(content):
        count = os.write(descriptor, content)
        if count == len(content):
            return
        content = content[count:]
