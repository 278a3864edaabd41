"""Copies of the files that rsync is to send, in a private folder.

rsync opens files by their whole path, so a folder that has just become a link would lead it out of
the project. The copies are made step by step (`Inside`), and do not change while they are sent.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from igor_core import directories
from igor_core.worktree.content import Read, is_seen
from igor_core.worktree.files import File
from igor_core.worktree.open_inside import Inside

# The most bytes that are copied before they are sent; a larger file goes alone.
MOST_BYTES = 256 << 20
_CHUNK = 1 << 20
# FICLONE of linux/fs.h: btrfs and xfs share the blocks of a copy.
_CLONE = 0x40049409


class Staging:
    """A folder for copies, which exists until `close`. All methods block."""

    def __init__(self) -> None:
        above = directories.state_directory() / "staging"
        above.mkdir(mode=0o700, exist_ok=True)
        _sweep(above)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=above))

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, root: Path, files: Iterable[File]) -> dict[bytes, Read]:
        """Copy files of the tree at `root`; return the outcome of each, without its content.

        Raises OSError if there is no room for a copy.
        """
        with Inside(root) as source, Inside(self.folder) as target:
            return {file.path: _take(source, target, file) for file in files}


def batches(files: Sequence[File]) -> Iterator[list[File]]:
    """Split the files into batches that are copied and sent at once."""
    batch: list[File] = []
    size = 0
    for file in files:
        if batch and size + file.size > MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _take(source: Inside, target: Inside, file: File) -> Read:
    folder = target.folder(file.path, make=True)
    name = file.path.rpartition(b"/")[2]
    if file.kind == "l":
        os.symlink(file.target, name, dir_fd=folder)
        times = (file.mtime_ns, file.mtime_ns)
        os.utime(name, ns=times, dir_fd=folder, follow_symlinks=False)
        return Read()
    try:
        stream = open(source.open(file.path), "rb", buffering=0)  # noqa: SIM115
    except (FileNotFoundError, NotADirectoryError):
        return Read(moved=True)
    except OSError:
        return Read(unreadable=True)
    with stream:
        return _copy(stream, file, folder, name)


def _copy(source: BinaryIO, file: File, folder: int, name: bytes) -> Read:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    with open(descriptor, "wb", buffering=0) as copy:
        digest, size = hashlib.sha256(), 0
        cloned = _clone(source, copy)
        while size <= file.size and (chunk := _chunk(source)):
            digest.update(chunk)
            size += len(chunk)
            if not cloned:
                copy.write(chunk)
        if size != file.size or not is_seen(source.fileno(), file):
            os.unlink(name, dir_fd=folder)
            return Read(moved=True)
        os.fchmod(descriptor, file.mode)
        os.utime(descriptor, ns=(file.mtime_ns, file.mtime_ns))
    return Read(hash=digest.digest())


def _chunk(source: BinaryIO) -> bytes:
    """The next piece; empty at the end and after an error, which the size then shows."""
    with contextlib.suppress(OSError):
        return source.read(_CHUNK)
    return b""


def _clone(source: BinaryIO, copy: BinaryIO) -> bool:
    with contextlib.suppress(OSError):
        fcntl.ioctl(copy.fileno(), _CLONE, source.fileno())
        return True
    return False


def _sweep(above: Path) -> None:
    """Remove what killed agents have left."""
    for folder in above.iterdir():
        process = folder.name.partition("-")[0]
        if process.isdecimal() and not os.path.exists(f"/proc/{process}"):
            shutil.rmtree(folder, ignore_errors=True)
