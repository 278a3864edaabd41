# mypy: ignore-errors
"""Opening a tree: its folders, whose it is, and a place for temp files. On hosts (3.6+).

The layout beside the trees is that of paths.py: {base}/.igor-host/claims/{project} holds the
name of the clone that pushes there, .igor-host/tmp/{project} what is being written.
"""

import contextlib
import os

from igor_core.receiver.host.tree import Tree

PRIVATE = b".igor-host"


class Claimed(Exception):
    """Another clone pushes there."""


def open_tree(base, project, claim, writing, taking):
    """The real path (as configured, if nothing is there), and the tree, None if it isn't there."""
    path = os.path.join(base, project)
    private = os.path.join(base, PRIVATE)
    claims = os.path.join(private, b"claims")
    if writing:
        for folder in (path, claims):
            os.makedirs(folder, exist_ok=True)
        os.chmod(private, 0o700)
    elif not os.path.isdir(path):
        return path, None
    owner = read_claim(os.path.join(claims, project))
    if owner and owner != claim and not taking:
        raise Claimed(owner.decode("utf-8", "surrogateescape"))
    path = os.path.realpath(path)
    if not writing:
        return path, Tree(path, None)
    if owner != claim:
        write_claim(os.path.join(claims, project), claim, taking)
    tree = Tree(path, temporary_folder(os.path.join(private, b"tmp", project), path))
    tree.sweep()
    return path, tree


def temporary_folder(wanted, path):
    """A folder for temp files on the tree's own file system, made if it is missing."""
    os.makedirs(wanted, 0o700, exist_ok=True)
    if os.stat(wanted).st_dev != os.stat(path).st_dev:
        wanted = os.path.join(path, PRIVATE, b"tmp")
        os.makedirs(wanted, 0o700, exist_ok=True)
    return wanted


def read_claim(name):
    try:
        with open(name, "rb") as stream:
            return stream.read(4096)
    except FileNotFoundError:
        return b""


def write_claim(name, claim, taking):
    """Of two that come at once one gets it."""
    new = b"%s.%d" % (name, os.getpid())
    try:
        with open(new, "wb") as stream:
            stream.write(claim)
        if not taking and not read_claim(name):
            # An empty one is nobody's.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            try:
                os.link(new, name)
                return
            except FileExistsError:
                owner = read_claim(name)
                if owner and owner != claim:
                    raise Claimed(owner.decode("utf-8", "surrogateescape")) from None
            except OSError:
                pass  # no links on this file system
        os.rename(new, name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
