"""For tests of shared folders: a local `dir` that two users may write."""

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.transport.rsync.survey import ShellSurveyor
from igor_core.ssh.process import Completed
from tests.support.receiving import Receiver, receiver

USER, NEIGHBOUR = 40404, 40405
IDENTITY = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
# A name that the temp file of a dead process could have, in a folder that holds no temp files.
PRECIOUS = f"{os.uname().nodename}.4194305.1.7"
WORK = "two years of work"


@dataclass
class Shared:
    """The `dir`, and elsewhere a folder of the user's own with a file in it."""

    base: Path
    own: Path

    @property
    def private(self) -> Path:
        return self.base / ".igor-host"

    @property
    def paths(self) -> HostPaths:
        return HostPaths(str(self.base), "p")

    def folder(self, path: str, uid: int, mode: int = 0o755) -> Path:
        made = self.base / path
        made.mkdir()
        made.chmod(mode)
        os.chown(made, uid, uid)
        return made

    def link(self, path: str, target: Path | str, uid: int = NEIGHBOUR) -> None:
        os.symlink(target, self.base / path)
        os.chown(self.base / path, uid, uid, follow_symlinks=False)

    def precious(self, path: str = "") -> Path:
        """Create a file that is a month old in a folder of the user's own."""
        folder = self.own / path
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / PRECIOUS
        file.write_text(WORK)
        os.utime(file, (1_600_000_000, 1_600_000_000))
        for found in (self.own, *self.own.rglob("*")):
            os.chown(found, USER, USER)
        return file

    def state(self) -> list[tuple[str, int]]:
        """Return all names in the user's own folder, with their modes."""
        found = (self.own, *sorted(self.own.rglob("*")))
        return [(str(path), stat.S_IMODE(path.lstat().st_mode)) for path in found]


@contextmanager
def shared_folder() -> Iterator[Shared]:
    top = Path(tempfile.mkdtemp(prefix="igor-shared-"))
    top.chmod(0o755)
    base, own = top / "lab", top / "documents"
    for folder, mode in ((base, 0o777), (own, 0o755)):
        folder.mkdir()
        folder.chmod(mode)
        os.chown(folder, USER, USER)
    try:
        yield Shared(base, own)
    finally:
        shutil.rmtree(top)


@contextmanager
def as_user() -> Iterator[Receiver]:
    """Start the receiver as on a host where the user has logged in."""
    with receiver(wrapper=IDENTITY) as host:
        yield host


class Login:
    """The local machine as a host where the user has logged in."""

    name = "here"

    async def run(self, argv: Sequence[str], *, input: bytes = b"", most: int = 0) -> Completed:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *IDENTITY, *argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/"
        )
        stdout, stderr = await process.communicate(input)
        return Completed(process.returncode or 0, stdout, stderr)


def opened_by_receiver(shared: Shared, writing: bool = True, taking: bool = False) -> str:
    """Return why the receiver refuses to open the tree; empty if it opens it."""
    with as_user() as host:
        return str(host.open(shared.base, writing=writing, take_over=taking)["error"])


def opened_by_shell(shared: Shared, writing: bool = True, taking: bool = False) -> str:
    """Return why the scripts of the transport via rsync refuse; empty if they open it."""
    asker = ShellSurveyor(Login(), shared.paths, "me", writing, taking)
    try:
        asyncio.run(asker.survey([]))
    except HostError as error:
        return f"{error.message}; {error.hint}"
    return ""
