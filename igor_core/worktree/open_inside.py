"""Open files inside the local tree, and only those: links on the way are not followed.

A path is walked folder by folder, each opened from the one above it: a folder that is swapped for a
link between a look and a read leads nowhere.
"""

import contextlib
import errno
import os
import re
import stat
from pathlib import Path

from igor_core.errors import IgorError

# The limit for a project's small files (ignore files, a dockerfile): they have some thousands.
LARGEST_SMALL_FILE = 1 << 20  # bytes

_OUTSIDE = re.compile(rb"(?:\A|/)(?:\.|\.\.|\.git)?(?:/|\Z)|\0", re.IGNORECASE)

# The root itself is the user's choice, and may be a link.
_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Do not follow a name that has become a link, and do not wait for a fifo.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_inside(path: bytes) -> bool:
    """Return whether a path from the root can belong to a tree: it stays below, outside .git.

    Like git (verify_path), ignores the case of ".git".
    """
    return _OUTSIDE.search(path) is None


class Inside:
    """The folders below `root`, a path or a descriptor, each opened when it is needed.

    The last folder asked for and those above it stay open until `close` or the end of `with`. Calls
    raise OSError; NotADirectoryError if a link or a file stands on the way, or the path is not
    below the root.
    """

    def __init__(self, root: Path | bytes | int) -> None:
        self._names: list[bytes] = []
        self._folders = [os.dup(root) if isinstance(root, int) else os.open(root, _ROOT)]

    def __enter__(self) -> "Inside":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        while self._folders:
            os.close(self._folders.pop())

    def folder(self, path: bytes, *, make: bool = False) -> int:
        """Return the descriptor of the folder that holds `path`; `make` creates missing folders.

        This object owns the descriptor; it is valid until the next call.
        """
        names = path.split(b"/")
        names.pop()
        known = self._names
        if names != known:
            common = 0
            while common < min(len(names), len(known)) and names[common] == known[common]:
                common += 1
            self._leave(common)
            for name in names[common:]:
                self._enter(name, make)
        return self._folders[-1]

    def open(self, path: bytes) -> int:
        """Return a new descriptor to read the file at `path`; fstat tells if it is regular."""
        return _opened(self.folder(path), path.rpartition(b"/")[2], _FILE)

    def lstat(self, path: bytes) -> os.stat_result:
        return os.lstat(path.rpartition(b"/")[2], dir_fd=self.folder(path))

    def readlink(self, path: bytes) -> bytes:
        return os.readlink(path.rpartition(b"/")[2], dir_fd=self.folder(path))

    def _leave(self, depth: int) -> None:
        del self._names[depth:]
        while len(self._folders) > depth + 1:
            os.close(self._folders.pop())

    def _enter(self, name: bytes, make: bool) -> None:
        if not is_inside(name):
            raise NotADirectoryError(errno.ENOTDIR, "not inside of the tree", name)
        self._folders.append(_step(self._folders[-1], name, make))
        self._names.append(name)


def open_folder(root: Path, path: bytes, *, make: bool = False) -> int:
    """Return a new descriptor of the folder that holds `path`; see `Inside.folder`."""
    with Inside(root) as inside:
        return os.dup(inside.folder(path, make=make))


def open_file(folder: int, path: bytes) -> int:
    """Return a descriptor to read the file that `path` names in `folder`. Raises OSError.

    Does not wait for a fifo; fstat tells whether it is a regular file.
    """
    return os.open(path.rpartition(b"/")[2], _FILE, dir_fd=folder)


def read_small(root: Path | bytes, path: bytes) -> bytes | None:
    """Return the content of a small file that the project itself brings; None if missing.

    Raises IgorError if it is a link, a device or the like, is larger than a megabyte, or can't
    be read: such a file decides what is pushed, and a repository may be hostile.
    """
    name = os.fsdecode(os.path.join(os.fsencode(root), path))
    try:
        with Inside(root) as inside, open(inside.open(path), "rb") as stream:
            regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            content = stream.read(LARGEST_SMALL_FILE + 1) if regular else b""
    except FileNotFoundError:
        return None
    except (NotADirectoryError, IsADirectoryError):
        regular, content = False, b""
    except OSError as error:
        raise IgorError(f"{name} can't be read: {error.strerror}") from None
    if not regular:
        raise IgorError(
            f"{name} is not a regular file of the project (a link, a folder, a device?)",
            "put a regular file in its place, or remove it",
        )
    if len(content) > LARGEST_SMALL_FILE:
        raise IgorError(f"{name} is larger than {LARGEST_SMALL_FILE >> 20} MB", "make it smaller")
    return content


def _step(descriptor: int, name: bytes, make: bool) -> int:
    try:
        return _opened(descriptor, name, _FOLDER)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=descriptor)
    return _opened(descriptor, name, _FOLDER)


def _opened(descriptor: int, name: bytes, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=descriptor)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from None
        raise
