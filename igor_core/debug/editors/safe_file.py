"""Read and write a file of the project that igor generates, whole or in part."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from igor_core.worktree.open_inside import open_folder

LARGEST = 1_000_000  # bytes; a debugger's configuration has some thousands


class Untouched(Exception):
    """The file could not be read or written; the message says which and why."""


@dataclass(frozen=True)
class LocalFile:
    """A file of the project at `root`; `path` may be a symbolic link.

    A link is followed for reading, and for writing if it stays inside the project: it may have
    come with a cloned repository.
    """

    path: Path
    root: Path

    def read(self) -> str | None:
        """Return the text, None if the file is absent or blank. Raises Untouched."""
        try:
            with open(self.path, "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    raise Untouched(f"{self.path} is not a regular file")
                data = stream.read(LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Untouched(f"{self.path} can't be read: {error.strerror}") from None
        if len(data) > LARGEST:
            raise Untouched(f"{self.path} is larger than {LARGEST} bytes")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Untouched(f"{self.path} is not UTF-8") from None
        return text if text.strip() else None

    def write(self, text: str, mode: int) -> None:
        """Write a temporary file and rename it; `mode` is for a new file. Raises Untouched."""
        root = Path(os.path.realpath(self.root))
        target = Path(os.path.realpath(self.path))
        if not target.is_relative_to(root):
            raise Untouched(f"{self.path} is a link to {target}, outside the project; not written")
        path = os.fsencode(target.relative_to(root))
        try:
            folder = _folder(root, path, mode)
            try:
                self._replace(folder, path, text.encode("utf-8", "surrogateescape"), mode)
            finally:
                os.close(folder)
        except OSError as error:
            raise Untouched(f"{self.path} can't be written: {error.strerror}") from None

    def _replace(self, folder: int, path: bytes, data: bytes, mode: int) -> None:
        """Replace the file in the open folder, whatever the folder's path leads to by now."""
        name = path.rpartition(b"/")[2]
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            pass
        else:
            if not stat.S_ISREG(found.st_mode):
                raise Untouched(f"{self.path} is not a regular file (any more); not written")
            mode = stat.S_IMODE(found.st_mode)
            if not mode & 0o222:
                raise Untouched(f"{self.path} is read-only; not written")
        new = b".%s.%s" % (name, secrets.token_hex(4).encode())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new, flags, 0o600, dir_fd=folder)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                os.fchmod(descriptor, mode)
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(new, dir_fd=folder)
            raise


def _folder(root: Path, path: bytes, mode: int) -> int:
    """Open the folder for a file of this mode; those who may read the file may enter a new one."""
    try:
        return open_folder(root, path)
    except FileNotFoundError:
        folder = open_folder(root, path, make=True)
        os.fchmod(folder, mode | (mode & 0o444) >> 2)
        return folder
