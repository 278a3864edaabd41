"""The content of local files, as hashes. All of it blocks."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from igor_core.push.files import File, look

_CHUNK = 1 << 20


def hash_files(root: Path, files: Iterable[File]) -> dict[bytes, bytes]:
    """sha256 of each regular file's content; those that can't be read are left out."""
    found = {}
    for file in files:
        if file.kind == "f":
            try:
                found[file.path] = _hash(os.path.join(os.fsencode(root), file.path))
            except OSError:
                continue
    return found


def _hash(name: bytes) -> bytes:
    digest = hashlib.sha256()
    # A name that has become a fifo meanwhile must not be waited for.
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def changed(root: Path, files: Iterable[File]) -> list[bytes]:
    """Those that are no longer as they were seen."""
    return [file.path for file in files if not _is_as_seen(root, file)]


def _is_as_seen(root: Path, file: File) -> bool:
    try:
        return look(root, file.path) == file
    except OSError:
        return False
