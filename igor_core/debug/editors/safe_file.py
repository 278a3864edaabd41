"""A file of the project that igor generates, or writes a part of."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from igor_core.worktree.open_inside import open_folder

LARGEST = 1_000_000  # bytes; a debugger's configuration has some thousands


class Untouched(Exception):
    """The file was not read, or not written; the message says which and why."""


@dataclass(frozen=True)
class LocalFile:
    """`path` may be a symbolic link: what it leads to is read, and within the project written.

    Nothing is written out of the project, which is at `root`: a link may have come with a cloned
    repository.
    """

    path: Path
    root: Path

    def read(self) -> str | None:
        """The text, None where there is no file or nothing in it. Raises Untouched."""
        try:
            with open(self.path, "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    raise Untouched(f"{self.path} is not a file")
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
        """Write beside and rename; `mode` is for a file that is not there. Raises Untouched."""
        root = Path(os.path.realpath(self.root))
        target = Path(os.path.realpath(self.path))
        if not target.is_relative_to(root):
            raise Untouched(
                f"{self.path} leads to {target}, out of the project; igor writes nothing there"
            )
        path = os.fsencode(target.relative_to(root))
        try:
            folder = _folder(root, path, mode)
            try:
                self._replace(folder, path, text.encode("utf-8", "surrogateescape"), mode)
            finally:
                os.close(folder)
        except OSError as error:
            raise Untouched(f"{self.path} can't be written: {error.strerror}") from None

    def remove(self) -> None:
        """Raises Untouched."""
        path = os.fsencode(self.path.relative_to(self.root))
        try:
            folder = open_folder(self.root, path)
            try:
                os.unlink(path.rpartition(b"/")[2], dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Untouched(f"{self.path} can't be removed: {error.strerror}") from None

    def _replace(self, folder: int, path: bytes, data: bytes, mode: int) -> None:
        """In the open folder: what its path leads to by now counts for nothing."""
        name = path.rpartition(b"/")[2]
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            pass
        else:
            if not stat.S_ISREG(found.st_mode):
                raise Untouched(f"{self.path} has become a link, or is not a file")
            mode = stat.S_IMODE(found.st_mode)
            if not mode & 0o222:
                raise Untouched(f"{self.path} is read-only; igor left it alone")
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
    """The open folder for a file of this mode. Of a new one: who may read the file may enter."""
    try:
        return open_folder(root, path)
    except FileNotFoundError:
        folder = open_folder(root, path, make=True)
        os.fchmod(folder, mode | (mode & 0o444) >> 2)
        return folder
