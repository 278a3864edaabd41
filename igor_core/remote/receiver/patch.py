"""Making a new version of a big file from the present one. Runs on hosts (Python 3.6+)."""

import hashlib
import os

from igor_core.remote.receiver.expect import CHUNK, open_file
from igor_core.remote.receiver.files import put, write_all
from igor_core.remote.receiver.frames import NOT_THE_BASE
from igor_core.remote.receiver.tree import Failed


def patch(entry, base, prefix, suffix, content, middle):
    """Write a file made of the present one, which must have the size and time `base`."""

    def make(temp, descriptor):
        digest = hashlib.sha256()
        try:
            source = open_file(entry.tree.folder(entry.folder).descriptor, entry.name)
        except OSError:
            raise Failed(NOT_THE_BASE) from None
        try:
            _check_base(source, base)
            _copy(source, descriptor, 0, prefix, digest)
            digest.update(middle)
            write_all(descriptor, middle)
            _copy(source, descriptor, base[0] - suffix, suffix, digest)
            _check_base(source, base)
        finally:
            os.close(source)
        if digest.digest() != content:
            raise Failed(NOT_THE_BASE)

    if prefix + suffix > base[0]:
        raise Failed(NOT_THE_BASE)
    return put(entry, make)


def _check_base(source, base):
    found = os.fstat(source)
    if (found.st_size, found.st_mtime_ns) != base:
        raise Failed(NOT_THE_BASE)


def _copy(source, descriptor, at, length, digest):
    os.lseek(source, at, os.SEEK_SET)
    while length:
        chunk = os.read(source, min(CHUNK, length))
        if not chunk:
            raise Failed(NOT_THE_BASE)
        digest.update(chunk)
        write_all(descriptor, chunk)
        length -= len(chunk)
