"""A file of the project that igor generates, or writes a part of."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1_000_000  # bytes; a debugger's configuration has some thousands


class Untouched(Exception):
    """The file was not read, or not written; the message says which and why."""


@dataclass(frozen=True)
class LocalFile:
    """`path` may be a symbolic link: what it leads to is read and written.

    Out of the project, which is at `root`, a link leads only to what is there already: it may have
    come with a cloned repository, and igor is not to begin files elsewhere.
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
        target = Path(os.path.realpath(self.path))
        if not target.is_relative_to(os.path.realpath(self.root)) and self.read() is None:
            raise Untouched(f"{self.path} leads to {target}, out of the project, where no text is")
        try:
            _make_folder(target.parent, mode)
            self._replace(target, text.encode("utf-8", "surrogateescape"), mode)
        except OSError as error:
            raise Untouched(f"{self.path} can't be written: {error.strerror}") from None

    def remove(self) -> None:
        """Raises Untouched."""
        try:
            os.unlink(self.path)
        except OSError as error:
            raise Untouched(f"{self.path} can't be removed: {error.strerror}") from None

    def _replace(self, target: Path, data: bytes, mode: int) -> None:
        try:
            mode = stat.S_IMODE(os.stat(target).st_mode)
        except FileNotFoundError:
            pass
        else:
            if not mode & 0o222:
                raise Untouched(f"{self.path} is read-only; igor left it alone")
        new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                os.fchmod(descriptor, mode)
            os.replace(new, target)
        except BaseException:
            os.unlink(new)
            raise


def _make_folder(folder: Path, mode: int) -> None:
    """For a file of this mode: who may read that may enter."""
    if not folder.exists():
        folder.mkdir()
        folder.chmod(mode | (mode & 0o444) >> 2)
