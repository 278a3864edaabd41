"""Opening what lies inside of the local tree, and only that: no link on the way is followed."""

import contextlib
import errno
import os
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_folder(root: Path, path: bytes, *, make: bool = False) -> int:
    """A descriptor of the folder that holds `path`; with `make` missing folders are made.

    Raises OSError; NotADirectoryError where a link or a file stands on the way.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.split(b"/")[:-1]:
            if part in (b"", b".", b".."):
                raise NotADirectoryError(errno.ENOTDIR, "not inside of the tree", path)
            inner = _step(descriptor, part, make)
            os.close(descriptor)
            descriptor = inner
    except OSError as error:
        os.close(descriptor)
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
        raise
    return descriptor


def open_file(folder: int, path: bytes) -> int:
    """A descriptor to read the regular file that `path` names in `folder`. Raises OSError.

    A fifo isn't waited for, and what is no file can be told by fstat.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path.rpartition(b"/")[2], flags, dir_fd=folder)


def _step(descriptor: int, part: bytes, make: bool) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=descriptor)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, dir_fd=descriptor)
    return os.open(part, _FOLDER, dir_fd=descriptor)
