"""Temp files, whose names tell which process wrote them, so that dead ones are removed. (3.6+)

A name has the host name, the process, its start (jiffies since boot, from /proc; 0 if unknown), and
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
# On a shared file system, the processes of other hosts are unknown.
_FOREIGN_SECONDS = 24 * 3600
_RSYNC_SECONDS = 3600


def started(process):
    """The start of a process (the 22nd field in proc(5)); 0 if it is unknown."""
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
    """A temp file in an open folder, listed in `temps` while its name is in use.

    `identity` is the stat of the file, once it has been written.
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
        """The name is no longer in use."""
        del self.temps[self.name]
        if self.beside:
            os.close(self.folder)

    def remove(self):
        remove_file(self.name, self.folder)
        self.done()


def remove_file(name, folder):
    """Remove a file if possible."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def is_temp(name, prefix):
    """Whether a name is that of a temp file with this prefix."""
    return name.startswith(prefix) and name[len(prefix) :].isdigit()


def sweep(folder, remove_beside, now=None):
    """Remove the temp files of dead processes, and nothing else, from an open folder.

    `remove_beside` is called with each folder in which a dead process wrote others, and their
    prefix.
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
    """Whether the writer of a temp file is dead; `age` in seconds."""
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
