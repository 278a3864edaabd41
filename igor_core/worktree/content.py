"""Reading and hashing many local files. All functions block."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from igor_core.worktree.files import File, look
from igor_core.worktree.open_inside import Inside

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Read:
    """A file's content and its sha256; `moved`: it has changed since it was seen."""

    content: bytes = b""
    hash: bytes = b""
    moved: bool = False
    unreadable: bool = False


def read_all(root: Path, files: Iterable[File]) -> dict[bytes, Read]:
    """Read each file, provided that it is still as it was seen, before and after the read.

    A link has no content.
    """
    try:
        with Inside(root) as inside:
            return {file.path: _read(inside, file) for file in files}
    except (FileNotFoundError, NotADirectoryError):
        return {file.path: Read(moved=True) for file in files}


def _read(inside: Inside, file: File) -> Read:
    if file.kind == "l":
        return Read()
    try:
        descriptor = inside.open(file.path)
    except (FileNotFoundError, NotADirectoryError):
        return Read(moved=True)
    except OSError:
        return Read(unreadable=True)
    try:
        if not is_seen(descriptor, file):
            return Read(moved=True)
        content = os.read(descriptor, file.size + 1)
        while 0 < len(content) < file.size and (more := os.read(descriptor, file.size)):
            content += more
        if len(content) != file.size or not is_seen(descriptor, file):
            return Read(moved=True)
        return Read(content, hashlib.sha256(content).digest())
    except OSError:
        return Read(unreadable=True)
    finally:
        os.close(descriptor)


def is_seen(descriptor: int, file: File) -> bool:
    """Whether an open file is still as it was seen."""
    found = os.fstat(descriptor)
    return (
        found.st_size, found.st_mtime_ns, found.st_mode & 0o777, found.st_ctime_ns, found.st_ino,
    ) == (file.size, file.mtime_ns, file.mode, file.ctime_ns, file.inode)  # fmt: skip


def hash_files(root: Path, files: Iterable[File]) -> dict[bytes, bytes]:
    """Return the sha256 of each regular file; unreadable files are left out."""
    found = {}
    with contextlib.suppress(OSError), Inside(root) as inside:
        for file in files:
            if file.kind == "f":
                with contextlib.suppress(OSError), open(inside.open(file.path), "rb") as stream:
                    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                        found[file.path] = hash_of(stream)
    return found


def hash_of(stream: BinaryIO) -> bytes:
    """Return the sha256 of the rest of a stream."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def changed(root: Path, files: Iterable[File]) -> set[bytes]:
    """Return the files that are no longer as they were seen."""
    return {file.path for file in files if not _is_as_seen(root, file)}


def _is_as_seen(root: Path, file: File) -> bool:
    try:
        return look(root, file.path) == file
    except OSError:
        return False
