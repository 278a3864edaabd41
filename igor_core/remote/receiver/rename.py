"""Renaming so that no unexpected file is lost. Runs on hosts (Python 3.6+).

renameat2(2) can refuse to replace, and can exchange two names. After an exchange the replaced file
is checked, and put back if it is not the expected one. Where the kernel or the file system can't
do that, a link or a last check comes close.
"""

import errno
import os
import stat

NOREPLACE, EXCHANGE = 1, 2
_SYSTEM_CALLS = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "ppc64le": 357, "s390x": 347}
# Errors of a kernel or file system without renameat2.
_UNABLE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
_KEPT = b".igor-kept"


class Raced(Exception):
    """The path has changed since it was looked at; it was left as it is."""


def _find_renameat2():
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return None
    kinds = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    try:
        call, first = library.renameat2, ()
        call.argtypes = kinds
    except AttributeError:
        number = _SYSTEM_CALLS.get(os.uname().machine)
        if number is None:
            return None
        call, first = library.syscall, (number,)
        call.argtypes = [ctypes.c_long, *kinds]
        call.restype = ctypes.c_long

    def rename(source, name, folder, new, flags):
        if call(*first, source, name, folder, new, flags) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return rename


_renameat2 = []  # type: ignore[var-annotated]


def renameat2(source, name, folder, new, flags):
    """renameat2(2). Raises OSError, with ENOSYS if the system lacks it."""
    if not _renameat2:
        _renameat2.append(_find_renameat2())
    if _renameat2[0] is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    _renameat2[0](source, name, folder, new, flags)


def look(folder, name):
    """The lstat of a name in an open folder; None for nothing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_same(one, other):
    """Whether two stats are of the same, unchanged file."""
    return (
        one.st_ino == other.st_ino
        and one.st_mtime_ns == other.st_mtime_ns
        and one.st_size == other.st_size
        and stat.S_IFMT(one.st_mode) == stat.S_IFMT(other.st_mode)
        and one.st_dev == other.st_dev
    )


def put_in(temp, folder, name):
    """Move a temp file to a free name. Raises Raced, OSError (EXDEV: other file system)."""
    try:
        renameat2(temp.folder, temp.name, folder, name, NOREPLACE)
    except FileExistsError:
        raise Raced from None
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
        _link_in(temp, folder, name)


def _link_in(temp, folder, name):
    """Make a second name, which never replaces a file, and remove the first."""
    try:
        os.link(temp.name, name, src_dir_fd=temp.folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise Raced from None
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
        if look(folder, name) is not None:
            raise Raced from None
        os.rename(temp.name, name, src_dir_fd=temp.folder, dst_dir_fd=folder)
    else:
        os.unlink(temp.name, dir_fd=temp.folder)


def put_over(temp, folder, name, expected):
    """Move a temp file over the file with the stat `expected`.

    Exchanges the two and removes the old one: unlike a rename over a file, this does not make ext4
    write the new one to disk first. Raises Raced, OSError (EXDEV: other file system).
    """
    try:
        renameat2(temp.folder, temp.name, folder, name, EXCHANGE)
    except FileNotFoundError:
        raise Raced from None
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
        found = look(folder, name)
        if found is None or not is_same(found, expected):
            raise Raced from None
        os.rename(temp.name, name, src_dir_fd=temp.folder, dst_dir_fd=folder)
        return
    if is_same(look(temp.folder, temp.name), expected):
        os.unlink(temp.name, dir_fd=temp.folder)
        return
    _put_back(temp, folder, name)
    raise Raced


def _put_back(temp, folder, name):
    """Undo an exchange that brought out an unexpected file."""
    try:
        renameat2(temp.folder, temp.name, folder, name, EXCHANGE)
    except OSError:
        keep(temp, folder, name)
        return
    out = look(temp.folder, temp.name)
    if not (out.st_ino == temp.identity.st_ino and out.st_dev == temp.identity.st_dev):
        # Somebody wrote the file between the two exchanges.
        keep(temp, folder, name)


def take_out(temp, folder, name, expected):
    """Remove the file with the stat `expected`, after a rename to a temp name.

    Raises Raced, OSError (EXDEV: other file system).
    """
    try:
        os.rename(name, temp.name, src_dir_fd=folder, dst_dir_fd=temp.folder)
    except FileNotFoundError:
        raise Raced from None
    if is_same(look(temp.folder, temp.name), expected):
        os.unlink(temp.name, dir_fd=temp.folder)
        return
    keep(temp, folder, name)
    raise Raced


def keep(temp, folder, name):
    """Move somebody's file from the temp name back to its name, or to one beside it."""
    for number in range(1000):
        suffix = b"" if number == 0 else _KEPT if number == 1 else b"%s-%d" % (_KEPT, number)
        try:
            put_in(temp, folder, name + suffix)
            return
        except Raced:
            continue
