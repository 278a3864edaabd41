"""Replacing a local file with a host's version, after the local version has been backed up."""

import contextlib
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from igor_core.directories import state_directory
from igor_core.errors import IgorError
from igor_core.verbs.diff.side import Side
from igor_core.worktree.files import shown
from igor_core.worktree.open_inside import open_file, open_folder

_TEMPORARY = b".igor-theirs-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Backup:
    """Copies of replaced files, in `$XDG_STATE_HOME/igor/replaced/{project}/{time}/{path}`."""

    folder: Path

    @classmethod
    def of(cls, project: str) -> "Backup":
        """A new folder for the files that are replaced together."""
        above = state_directory() / "replaced" / project
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%dT%H%M%S")
        for number in range(1, 1000):
            folder = above / (stamp if number == 1 else f"{stamp}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                return cls(folder)
        raise IgorError(f"{above}: can't make a folder for the local versions")

    def copy(self, folder: int, path: bytes, version: Side) -> Path:
        """Copy the local version in the open `folder`; return the copy's path. Raises OSError."""
        # Links are copied as links, so none may be followed.
        into = open_folder(self.folder, path, make=True)
        try:
            self._copy(folder, into, path, version)
        finally:
            os.close(into)
        return self.folder / os.fsdecode(path)

    def _copy(self, folder: int, into: int, path: bytes, version: Side) -> None:
        name = path.rpartition(b"/")[2]
        if version.kind == "l":
            os.symlink(version.target, name, dir_fd=into)
            return
        new = os.open(name, _NEW, 0o600, dir_fd=into)
        with open(new, "wb") as copy, open(open_file(folder, path), "rb") as source:
            os.fchmod(copy.fileno(), version.mode & 0o700)
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
            os.utime(copy.fileno(), ns=(version.mtime_ns, version.mtime_ns))

    def close(self) -> None:
        """Remove the folder if it is empty."""
        for folder in (self.folder, self.folder.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()


@dataclass(frozen=True)
class Replacement:
    """The host's version: `source` holds the content of a file; a link needs none."""

    version: Side
    source: BinaryIO | None = None


def replace_local(
    root: Path, path: bytes, seen: Side, new: Replacement, backup: Backup
) -> Path | None:
    """Replace the local version `seen` with `new`; return the path of its copy, if there was one.

    Blocks. Raises IgorError, with nothing replaced, if the local file is no longer as it was seen,
    a folder above it is a link or a file, or the disk refuses.
    """
    if seen.kind not in ("", "f", "l"):
        raise IgorError(
            f"the local {shown(path)} is neither a file nor a link; it was left unchanged",
            "move it away first",
        )
    try:
        folder = open_folder(root, path, make=True)
    except NotADirectoryError:
        raise IgorError(
            f"{shown(path)}: a local folder above it is a link or a file; it was left unchanged",
            "replace it by hand",
        ) from None
    except OSError as error:
        raise _refused(path, error) from None
    try:
        return _replace(folder, path, seen, new, backup)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        os.close(folder)


def _replace(folder: int, path: bytes, seen: Side, new: Replacement, backup: Backup) -> Path | None:
    base = path.rpartition(b"/")[2]
    temporary = _TEMPORARY + secrets.token_hex(6).encode()
    try:
        _write(folder, temporary, seen, new)
        _check(folder, path, seen)
        kept = backup.copy(folder, path, seen) if seen.exists else None
        _check(folder, path, seen)
        os.rename(temporary, base, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)
    return kept


def _write(folder: int, temporary: bytes, seen: Side, new: Replacement) -> None:
    if new.source is None:
        os.symlink(new.version.target, temporary, dir_fd=folder)
        return
    descriptor = os.open(temporary, _NEW, 0o600, dir_fd=folder)
    with open(descriptor, "wb") as copy:
        new.source.seek(0)
        shutil.copyfileobj(new.source, copy, 1 << 20)
        os.fchmod(copy.fileno(), _mode(seen, new.version))
        copy.flush()
        os.fsync(copy.fileno())


def _mode(seen: Side, new: Side) -> int:
    """The permissions are the local file's, but for the executable bit of the new version."""
    if seen.kind != "f":
        return new.mode
    executable = (seen.mode & 0o444) >> 2 if new.mode & 0o100 else 0
    return (seen.mode & ~0o111) | executable


def _check(folder: int, path: bytes, seen: Side) -> None:
    try:
        found = os.lstat(path.rpartition(b"/")[2], dir_fd=folder)
    except FileNotFoundError:
        same = not seen.exists
    else:
        same = (found.st_size, found.st_mtime_ns) == (seen.size, seen.mtime_ns) and seen.exists
    if not same:
        raise IgorError(
            f"the local {shown(path)} has changed since igor read it; it was left unchanged",
            f"compare again: igor diff {shown(path)}",
        )


def _refused(path: bytes, error: OSError) -> IgorError:
    return IgorError(f"can't replace the local {shown(path)}: {error.strerror}")
