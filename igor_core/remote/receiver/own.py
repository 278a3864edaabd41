"""Igor's own folders on a host where others may write around them. Runs on hosts (Python 3.6+).

Whoever may write in `dir` can replace any name in it with a link or a folder of theirs. So each
step starts from an open folder, follows no link, and accepts only what belongs to this user.
"""

import contextlib
import errno
import os
import pwd
import stat

# With O_PATH, search permission is enough.
_PATH = getattr(os, "O_PATH", os.O_RDONLY)
FOLDER = _PATH | os.O_DIRECTORY | os.O_CLOEXEC


class Unsafe(Exception):
    """Another user owns, or may change, what igor was to use; the message says which."""


def own_folder(above, name, shown, make=False):
    """Open a folder of igor's, mode 0700, in the open folder `above`; `shown` is its path.

    Raises Unsafe, OSError; FileNotFoundError if it is missing and not to be made.
    """
    try:
        descriptor = _open(above, name, make)
    except OSError as error:
        # Some systems report a link as a loop.
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise Unsafe(f"{text(shown)} is a link or a file, not a folder of igor's") from None
        raise OSError(error.errno, error.strerror, shown) from None
    try:
        _check_own(descriptor, shown)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open(above, name, make):
    flags = FOLDER | os.O_NOFOLLOW
    try:
        return os.open(name, flags, dir_fd=above)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    return os.open(name, flags, dir_fd=above)


def _check_own(descriptor, shown):
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise Unsafe(f"{text(shown)} belongs to {user(found.st_uid)}")
    if found.st_mode & 0o077:
        os.chmod(b".", 0o700, dir_fd=descriptor)
        if os.fstat(descriptor).st_mode & 0o022:
            raise Unsafe(f"others may write in {text(shown)}, and that can't be changed")


def check_tree(found, shown):
    """Check that a project's folder, or a link to it, belongs to the user or to root."""
    if found.st_uid not in (os.geteuid(), 0):
        raise Unsafe(f"{text(shown)} belongs to {user(found.st_uid)}")


def tree_path(above, base, project, make=False):
    """The real path of a project's folder in the open folder `base`.

    A link that belongs to the user is followed. Raises Unsafe, OSError.
    """
    shown = os.path.join(base, project)
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(project, dir_fd=above)
    flags = _PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(project, flags, dir_fd=above)
    except OSError as error:
        raise OSError(error.errno, error.strerror, shown) from None
    try:
        found = os.fstat(descriptor)
        check_tree(found, shown)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(b"", dir_fd=descriptor)
            return os.path.realpath(os.path.join(base, target))
    finally:
        os.close(descriptor)
    return os.path.join(os.path.realpath(base), project)


def user(number):
    try:
        return f"{pwd.getpwuid(number).pw_name}, another user of this host"
    except KeyError:
        return f"another user of this host (uid {number})"


def text(path):
    return os.fsencode(path).decode("utf-8", "surrogateescape")
