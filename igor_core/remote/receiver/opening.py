"""Opening a tree: its folders, its owner, and its folder for temp files. On hosts (3.6+).

The layout beside the trees is that of paths.py: {base}/.igor-host/claims/{project} names the clone
that owns the tree, .igor-host/tmp/{project} has the files being written.
"""

import contextlib
import os

from igor_core.remote.receiver.own import FOLDER, check_tree, own_folder, tree_path
from igor_core.remote.receiver.tree import TreeHandle

PRIVATE = b".igor-host"


class Claimed(Exception):
    """Another clone owns the tree; its name."""


def open_tree(base, project, claim, writing, taking):
    """The tree and its real path; without the tree, None and the path as configured.

    Raises Claimed, Unsafe, OSError.
    """
    try:
        with _base(base, writing) as above:
            return _open_in(above, base, project, claim, writing, taking)
    except (FileNotFoundError, NotADirectoryError):
        if writing:
            raise
        return os.path.join(base, project), None


def _open_in(above, base, project, claim, writing, taking):
    path = tree_path(above, base, project, make=writing)
    check_tree(_look(path), path)
    with _own(above, base, [PRIVATE, b"claims"], writing) as claims:
        owner = read_claim(claims, project)
        if owner and owner != claim and not taking:
            raise Claimed(owner.decode("utf-8", "surrogateescape"))
        if not writing:
            return path, TreeHandle(path)
        if owner != claim:
            write_claim(claims, project, claim, taking)
    tree = TreeHandle(path, TemporaryFolder(base, project, path))
    tree.sweep()
    return path, tree


def _look(path):
    descriptor = os.open(path, FOLDER | os.O_NOFOLLOW)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _base(base, make=False):
    if make:
        os.makedirs(base, exist_ok=True)
    above = os.open(base, FOLDER)
    try:
        yield above
    finally:
        os.close(above)


@contextlib.contextmanager
def _own(above, base, names, make):
    """Open the innermost of igor's nested folders `names`; None if it does not exist."""
    descriptor = os.dup(above)
    try:
        shown = base
        for name in names:
            shown = os.path.join(shown, name)
            inner = own_folder(descriptor, name, shown, make)
            os.close(descriptor)
            descriptor = inner
    except FileNotFoundError:
        os.close(descriptor)
        descriptor = None
        if make:
            raise
    except BaseException:
        os.close(descriptor)
        raise
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


class TemporaryFolder:
    """The folder for a tree's temp files, on its file system. `open` makes it if needed."""

    def __init__(self, base, project, path):
        self.base = base
        self.project = project
        self.path = path

    def __eq__(self, other):
        if not isinstance(other, TemporaryFolder):
            return False
        return (self.base, self.project, self.path) == (other.base, other.project, other.path)

    def open(self):
        """A descriptor. Raises Unsafe, OSError."""
        names = [PRIVATE, b"tmp", self.project]
        with _base(self.base) as above, _own(above, self.base, names, True) as found:
            if os.fstat(found).st_dev == _look(self.path).st_dev:
                return os.dup(found)
        names = [PRIVATE, b"tmp"]
        with _base(self.path) as tree, _own(tree, self.path, names, True) as found:
            return os.dup(found)


def read_claim(claims, project):
    if claims is None:
        return b""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(project, flags, dir_fd=claims), "rb") as stream:
            return stream.read(4096)
    except FileNotFoundError:
        return b""


def write_claim(claims, project, claim, taking):
    """Write the claim. Of two clones that write at once, one gets it."""
    new = b"%s.%d" % (project, os.getpid())
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        # Left by a receiver that was killed.
        os.unlink(new, dir_fd=claims)
    try:
        with open(os.open(new, flags, 0o600, dir_fd=claims), "wb") as stream:
            stream.write(claim)
        if not taking and not read_claim(claims, project):
            # An empty claim is nobody's.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(project, dir_fd=claims)
            try:
                os.link(new, project, src_dir_fd=claims, dst_dir_fd=claims)
                return
            except FileExistsError:
                owner = read_claim(claims, project)
                if owner and owner != claim:
                    raise Claimed(owner.decode("utf-8", "surrogateescape")) from None
            except OSError:
                pass  # no links on this file system
        os.rename(new, project, src_dir_fd=claims, dst_dir_fd=claims)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=claims)
