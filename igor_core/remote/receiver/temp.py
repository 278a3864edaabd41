"""Temp files: who wrote them can be told by their names, so that none survives. (3.6+)

The name: host name, process, when that started (jiffies since boot, from /proc; 0 if unknown), and
a number, with dots between.
"""

import contextlib
import os
import re
import stat
import time

_NAME = re.compile(rb"(.+)\.(\d+)\.(\d+)\.(\d+|beside)", re.DOTALL)
# rsync(1) writes a file `name` as `.name.XXXXXX`.
_RSYNC_NAME = re.compile(rb"\..+\.[A-Za-z0-9]{6}", re.DOTALL)
# Of another host on a shared file system nobody knows which processes live.
_FOREIGN_SECONDS = 24 * 3600
_RSYNC_SECONDS = 3600


def started(process):
    """When a process started (proc(5): the 22nd field); 0 where that can't be known."""
    try:
        with open(f"/proc/{process}/stat", "rb") as found:
            return int(found.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


HOST = os.uname().nodename.encode("utf-8", "surrogateescape").replace(b"/", b"_")
PREFIX = b"%s.%d.%d." % (HOST, os.getpid(), started(os.getpid()))
# Before the name of a temp file that has to be in the tree, beside its target.
BESIDE = b".igor-host."


class Temp:
    """A temp file, or the name of one: in an open folder, listed in `temps` while it is there.

    `identity` is what the file itself is, once it has been written.
    """

    def __init__(self, temps, folder, name, beside=False):
        self.temps = temps
        self.folder = folder
        self.name = name
        self.beside = beside
        self.identity = None
        temps[name] = self

    def open(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self.name, flags, 0o600, dir_fd=self.folder)

    def done(self):
        """It is no longer under this name."""
        del self.temps[self.name]
        if self.beside:
            os.close(self.folder)

    def remove(self):
        remove_file(self.name, self.folder)
        self.done()


def remove_file(name, folder):
    """Remove a file if it is there and can be."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def is_temp(name, prefix):
    """Whether a temp file with this prefix may be called so."""
    return name.startswith(prefix) and name[len(prefix) :].isdigit()


def sweep(folder, remove_beside, now=None):
    """Remove from an open folder the temp files of processes that have died, and nothing else.

    `remove_beside` is called with the folders where one of them wrote others, and their prefix.
    """
    now = time.time() if now is None else now
    listed = os.open(b".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    try:
        for name in map(os.fsencode, os.listdir(listed)):
            try:
                found = os.stat(name, dir_fd=listed, follow_symlinks=False)
            except OSError:
                continue
            if not stat.S_ISDIR(found.st_mode) and _is_dead(name, now - found.st_ctime):
                if name.endswith(b".beside"):
                    for path in _read(name, listed).split(b"\0")[:-1]:
                        remove_beside(path, name[: -len(b"beside")])
                remove_file(name, listed)
    finally:
        os.close(listed)


def _read(name, folder):
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with open(descriptor, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _is_dead(name, age):
    """Whether nobody writes this temp file any more; its age in seconds."""
    found = _NAME.fullmatch(name)
    if found is None:
        return bool(_RSYNC_NAME.fullmatch(name)) and age > _RSYNC_SECONDS
    host, process, start = found.group(1), int(found.group(2)), int(found.group(3))
    if host != HOST:
        return age > _FOREIGN_SECONDS
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass
    return started(process) != start
