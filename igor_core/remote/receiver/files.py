"""Writing: beside and renamed, and only over what is expected there. (3.6+)

Nothing of a tree is ever opened for writing. A file is written under a temp name, gets its mode
and time there, and appears at its path at once and whole.
"""

import contextlib
import errno
import hashlib
import os
import stat

from igor_core.remote.receiver import rename
from igor_core.remote.receiver.expect import CHUNK, Refused, open_file, state_of
from igor_core.remote.receiver.frames import ABSENT
from igor_core.remote.receiver.rename import Raced, look
from igor_core.remote.receiver.tree import Failed

_TRIES = 8


class TreeEntry:
    """A path in a tree, and what is expected there."""

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
        """The look at what is there and may be replaced, None for nothing. Raises Refused."""
        try:
            folder = self.tree.folder(self.folder).descriptor
        except FileNotFoundError:
            return self.expect.check(None, None, self.name)
        return self.expect.check(look(folder, self.name), folder, self.name)

    def make_way(self):
        """The same for who writes there: an empty folder is as good as nothing, and removed."""
        try:
            return self.look()
        except Refused as refused:
            is_folder = refused.state is not None and refused.state[0] == b"d"
            if not (is_folder and self.expect.flags == ABSENT):
                raise
            try:
                os.rmdir(self.name, dir_fd=self.tree.folder(self.folder).descriptor)
            except OSError:
                raise refused from None
            self.tree.forget_folders()
            return None

    def make_folder(self):
        return self.tree.folder(self.folder, True)

    def new_temp(self):
        return self.tree.temp(self.folder, self.make_folder())


def write(place, content):
    """The state of the file that is there now. Raises Refused, Failed, OSError."""

    def make(temp, descriptor):
        write_all(descriptor, content)

    try:
        return put(place, make)
    except Refused as refused:
        if not is_equal(refused, content):
            raise
        return leave(place, refused.state)


def is_equal(refused, content):
    """Whether what nobody expected is just what was to be written."""
    state = refused.state
    return (
        state is not None
        and state[:2] == (b"f", len(content))
        and refused.content == hashlib.sha256(content).digest()
    )


def leave(place, state):
    """Who put it there chose its mode and time, but for the x bit that git keeps too."""
    if not (state[3] ^ place.mode) & 0o100:
        return state
    folder = place.tree.folder(place.folder).descriptor
    descriptor = open_file(folder, place.name)
    try:
        os.fchmod(descriptor, place.mode)
        return state_of(os.fstat(descriptor), folder, place.name)
    finally:
        os.close(descriptor)


def link(place, target):
    def make(temp):
        os.symlink(target, temp.name, dir_fd=temp.folder)
        times = (place.mtime_ns, place.mtime_ns)
        os.utime(temp.name, ns=times, dir_fd=temp.folder, follow_symlinks=False)
        temp.identity = look(temp.folder, temp.name)

    found = place.make_way()
    return publish(place, with_temp(place, make), found)


def put(place, make):
    """Write a temp file by `make(temp, descriptor)` and move it in."""
    # Where nothing is expected, moving it in finds out.
    found = None if place.expect.only_nothing else place.make_way()
    temp = with_temp(place, lambda temp: make_file(place, temp, make, found))
    return publish(place, temp, found)


def with_temp(place, make):
    """A temp file that `make` has written; none is left if it fails."""
    temp = place.new_temp()
    try:
        make(temp)
    except FileNotFoundError:
        temp.remove()
        place.tree.make_temporary_again()
        temp = place.new_temp()
        try:
            make(temp)
        except BaseException:
            temp.remove()
            raise
    except BaseException:
        temp.remove()
        raise
    return temp


def make_file(place, temp, make, found):
    descriptor = temp.open()
    try:
        make(temp, descriptor)
        finish(place, temp, descriptor, found)
    finally:
        os.close(descriptor)


def finish(place, temp, descriptor, found):
    """All but the content: group, mode and time, as it is to appear."""
    group = place.make_folder().group
    if found is not None and stat.S_ISREG(found.st_mode):
        group = found.st_gid
    if group is not None and group != os.fstat(descriptor).st_gid:
        # It may be a group that isn't ours to give.
        with contextlib.suppress(OSError):
            os.fchown(descriptor, -1, group)
    os.fchmod(descriptor, place.mode)
    os.utime(descriptor, ns=(place.mtime_ns, place.mtime_ns))
    temp.identity = os.fstat(descriptor)


def publish(place, temp, found):
    """Move the temp file over what was found at its path, or to where nothing is; its state."""
    try:
        for _ in range(_TRIES):
            try:
                _move_in(place, temp, found)
                temp.done()
                return state_of(temp.identity, place.make_folder().descriptor, place.name)
            except Raced:
                found = place.make_way()
            except FileNotFoundError:
                # The open folder was removed, or the one for temp files: then this fails again.
                place.tree.forget_folders()
            except OSError as error:
                if error.errno != errno.EXDEV or temp.beside:
                    raise
                # Another file system that doesn't look like one: a bind mount.
                place.tree.elsewhere.add(place.folder)
                temp = _copied_beside(place, temp)
        raise Failed("it keeps changing there")
    except BaseException:
        if temp.name in place.tree.temps:
            temp.remove()
        raise


def _move_in(place, temp, found):
    folder = place.make_folder().descriptor
    if found is None:
        rename.put_in(temp, folder, place.name)
    else:
        rename.put_over(temp, folder, place.name, found)


def _copied_beside(place, temp):
    """The temp file again, on the file system of its target."""
    new = place.tree.temp_beside(place.folder, place.make_folder())
    try:
        if stat.S_ISLNK(temp.identity.st_mode):
            os.symlink(os.readlink(temp.name, dir_fd=temp.folder), new.name, dir_fd=new.folder)
            times = (place.mtime_ns, place.mtime_ns)
            os.utime(new.name, ns=times, dir_fd=new.folder, follow_symlinks=False)
            new.identity = look(new.folder, new.name)
        else:
            source = os.open(temp.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=temp.folder)
            try:
                make_file(place, new, lambda _temp, sink: _copy_all(source, sink), None)
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
