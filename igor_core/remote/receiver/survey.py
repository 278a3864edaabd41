"""Surveys and hashes of a tree, in steps between other frames. (3.6+)

Both are generators: they yield parts of the answer, and None where other frames may have a turn.
"""

import os
import stat
import zlib

from igor_core.remote.receiver.expect import hash_in_steps, open_file, state_of
from igor_core.remote.receiver.frames import (
    DIGEST_SIZE,
    FOLDER_FACT,
    GROUP,
    HASH,
    LINK_FACT,
    MOST_LIST_BYTES,
    NOTHING_FACT,
    NUMBER,
    OTHER_FACT,
    SEEN,
    digests,
    link_fact,
)
from igor_core.remote.receiver.own import FOLDER
from igor_core.remote.receiver.rename import look
from igor_core.remote.receiver.tree import Failed

_STEP = 1000
_PART_BYTES = 1 << 16


def unpack_paths(packed):
    """A list of paths. Raises ValueError."""
    unpacker = zlib.decompressobj()
    try:
        joined = unpacker.decompress(packed, MOST_LIST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("a list of paths that is too long or cut off")
    return joined.split(b"\0") if joined else []


class PathList:
    """Paths, and for each folder the (number, name) of those in it."""

    def __init__(self, ident, paths):
        self.ident = ident
        self.paths = paths
        self.folders = {}
        for number, path in enumerate(paths):
            folder, _, name = path.rpartition(b"/")
            if name in (b"", b".", b"..") or b".." in folder.split(b"/"):
                raise ValueError("a path that leaves the tree")
            self.folders.setdefault(folder, []).append((number, name))


def survey(tree, listed, expected):
    """The states of the listed paths, in the groups whose digests differ."""
    facts = [NOTHING_FACT, 0] * len(listed.paths)
    done = 0
    for folder, names in listed.folders.items():
        take_facts(tree, folder, names, facts)
        done += len(names)
        if done >= _STEP:
            done = 0
            yield None
    found = digests(facts)
    part = []
    size = 0
    for number in range(len(found) // DIGEST_SIZE):
        at = number * DIGEST_SIZE
        if found[at : at + DIGEST_SIZE] != expected[at : at + DIGEST_SIZE]:
            group = pack_group(tree, number, listed.paths[number * GROUP : (number + 1) * GROUP])
            part.append(group)
            size += len(group)
            if size >= _PART_BYTES:
                yield b"".join(part)
                part, size = [], 0
    if part:
        yield b"".join(part)


def take_facts(tree, path, names, facts):
    """Fill in the facts of the names in one folder."""
    try:
        above, _, name = path.rpartition(b"/")
        if path:
            descriptor = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=tree.folder(above).descriptor)
        else:
            descriptor = os.dup(tree.folder(b"").descriptor)
    except (OSError, Failed):
        return
    look_at = os.stat
    try:
        for number, name in names:
            try:
                found = look_at(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                continue
            at = 2 * number
            if found.st_mode & 0o170000 == stat.S_IFREG:
                facts[at] = found.st_size
                facts[at + 1] = found.st_mtime_ns
            else:
                facts[at : at + 2] = fact_of(found, descriptor, name)
    finally:
        os.close(descriptor)


def fact_of(found, folder, name):
    if stat.S_ISDIR(found.st_mode):
        return FOLDER_FACT, 0
    if stat.S_ISLNK(found.st_mode):
        try:
            return LINK_FACT, link_fact(os.readlink(name, dir_fd=folder))
        except OSError:
            pass
    return OTHER_FACT, 0


def pack_group(tree, number, paths):
    parts = [NUMBER.pack(number)]
    for path in paths:
        state = state_at(tree, path)
        kind, size, mtime_ns, mode, target = state or (b"\0", 0, 0, 0, b"")
        parts.append(SEEN.pack(kind, size, mtime_ns, mode, len(target)))
        parts.append(target)
    return b"".join(parts)


def state_at(tree, path):
    """The state of a path; None for nothing, behind a link, or if it can't be read."""
    folder, _, name = path.rpartition(b"/")
    try:
        descriptor = tree.folder(folder).descriptor
        return state_of(look(descriptor, name), descriptor, name)
    except (OSError, Failed):
        return None


def hashes(tree, paths):
    """The number and sha256 of each path that is a readable file."""
    part = []
    for number, path in enumerate(paths):
        folder, _, name = path.rpartition(b"/")
        try:
            descriptor = open_file(tree.folder(folder).descriptor, name)
        except (OSError, Failed):
            continue
        try:
            for step in hash_in_steps(descriptor):
                if step is not None:
                    part.append(HASH.pack(number, step))
                yield None
        except OSError:
            pass
        finally:
            os.close(descriptor)
        if len(part) >= _STEP:
            yield b"".join(part)
            part = []
    if part:
        yield b"".join(part)
