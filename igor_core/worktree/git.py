"""The one owner of git: asks it which files a folder holds.

A repository may be hostile: its config and its index are its author's. Everything that git might
start for it (a monitor, a hook, a filter, a transport to fetch a missing object) is switched off.
"""

import contextlib
import fcntl
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from igor_core.errors import IgorError

ALL = ("-co", "--exclude-standard")
IGNORED = ("-oi", "--exclude-standard")

# A repository's own config can name programs. The command line wins over it.
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    # A clone can contain a folder that only looks like a repository, with a config of its own.
    "safe.bareRepository=explicit",
)
_OPTIONS = ["--no-pager", *(word for setting in _SETTINGS for word in ("-c", setting))]
_ENVIRONMENT = {
    "LC_ALL": "C",
    # Do not fetch promised objects that are missing; git before 2.39.4 knows only the second.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
}

# A list of a million files takes about 100 MB; a small crafted index can expand to any size.
LONGEST_LIST = 256 << 20
# git may wait for a disk, but not for ever: a repository's config can be a fifo.
PATIENCE_SECONDS = 120.0

# The text of a `.git` that is a file: one path.
_LONGEST_LINK = 8192

_NO_REPOSITORY = "not a git repository (or any"
_DUBIOUS = "dubious ownership"
_BARE = "cannot use bare repository"


@dataclass(frozen=True)
class List:
    """Return what git wrote, without folders that it could not read."""

    raw: bytes
    complete: bool


def split(raw: bytes) -> list[bytes]:
    """The paths that git wrote. A file is there once for each side of a merge, and a repository
    that isn't tracked ends with "/".
    """
    return raw.split(b"\0")[:-1]


def list_files(
    folder: Path, options: tuple[str, ...] = ALL, only: Iterable[bytes] = ()
) -> List | None:
    """Return what `git ls-files` lists below `folder`, or `only` of these; None without git.

    A submodule and a repository inside are listed as one path. Raises IgorError where git
    refuses, or is missing and there is a repository.
    """
    return Listed(folder, options, only).answer()


class Listed:
    """A list that git makes in the background; `answer` waits for it."""

    def __init__(
        self, folder: Path, options: tuple[str, ...] = ALL, only: Iterable[bytes] = ()
    ) -> None:
        self._folder = folder
        # Not a pipe: git would wait for a reader once the pipe is full.
        self._output = _memory()
        self._git = _start(
            folder, "--literal-pathspecs", "ls-files", "-z", *options, "--", *only, to=self._output
        )

    def answer(self) -> List | None:
        """Wait for the list and return it, as `list_files` does."""
        with self._output:
            if self._git is None:
                _refuse_repository(self._folder)
                return None
            complaint = _wait(self._git, self._folder)
            length = self._output.seek(0, os.SEEK_CUR)
            self._output.seek(0)
            raw = self._output.read(length)
        if length >= LONGEST_LIST:
            raise IgorError(
                f"{self._folder}: git's list of the files is over {LONGEST_LIST >> 20} MB"
            )
        if self._git.returncode == 0:
            return List(raw, complete=b"could not open directory" not in complaint)
        said = complaint.decode("utf-8", "replace").strip()
        if _NO_REPOSITORY in said:
            return None
        raise _refusal(self._folder, said)

    def discard(self) -> None:
        """Kill git: the list is not needed any more."""
        self._output.close()
        if self._git is not None and self._git.returncode is None:
            self._git.kill()
            self._git.communicate()


def ignores_folder(folder: Path) -> bool:
    """Return whether the repository around a folder ignores the folder and all that is in it."""
    if (folder / ".git").exists():
        return False
    git = _start(folder, "check-ignore", "-q", str(folder), to=subprocess.DEVNULL)
    if git is None:
        return False
    _wait(git, folder)
    return git.returncode == 0


def is_own_worktree(folder: Path, around: Path) -> bool:
    """Return whether a folder is a worktree (git-worktree(1)) of the repository `around` it.

    Such a copy does not belong to the tree, as submodules and other clones do. git does not run.
    """
    common = _common_folder(folder)
    while common and not (around / ".git").exists() and around != around.parent:
        around = around.parent
    return bool(common) and (folder / ".git").is_file() and common == _common_folder(around)


def _common_folder(folder: Path) -> str:
    """Return what all worktrees of a repository share, by its real path; "" where there is none."""
    at = folder / ".git"
    try:
        if not at.is_file():
            return os.path.realpath(at) if at.is_dir() else ""
        with at.open("rb") as stream:
            line = stream.read(_LONGEST_LINK)
    except OSError:
        return ""
    kind, _, path = os.fsdecode(line).rstrip("\n").partition(" ")
    own = Path(os.path.normpath(folder / path))
    is_worktree = kind == "gitdir:" and own.parent.name == "worktrees"
    return os.path.realpath(own.parents[1]) if is_worktree else ""


def _wait(git: "subprocess.Popen[bytes]", folder: Path) -> bytes:
    """Return git's complaints, once it has ended."""
    try:
        return git.communicate(timeout=PATIENCE_SECONDS)[1]
    except subprocess.TimeoutExpired:
        git.kill()
        git.communicate()
        raise IgorError(
            f"{folder}: git has not listed the files within {PATIENCE_SECONDS:.0f} seconds",
            f"does this end? git -C {shlex.quote(str(folder))} ls-files -co --exclude-standard",
        ) from None


def _memory() -> BinaryIO:
    """Return a file in memory, limited to the longest list; where there is none, one on disk."""
    if not hasattr(os, "memfd_create"):
        return cast(BinaryIO, tempfile.TemporaryFile(buffering=0))
    descriptor = os.memfd_create("igor-git", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, LONGEST_LIST)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    return open(descriptor, "w+b", buffering=0)


def _start(
    folder: Path, *words: str | bytes, to: BinaryIO | int
) -> "subprocess.Popen[bytes] | None":
    """Start git; return None if it is not installed."""
    # A hook's variables (GIT_DIR, GIT_INDEX_FILE, …) must not choose another repository.
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.Popen(
            ["git", *_OPTIONS, "-C", folder, *words],
            stdin=subprocess.DEVNULL,
            stdout=to,
            stderr=subprocess.PIPE,
            env={**environment, **_ENVIRONMENT},
        )
    except FileNotFoundError:
        return None


def _refuse_repository(folder: Path) -> None:
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            raise IgorError(
                f"git is not installed locally, and {above} is a git repository",
                "install git: only it knows which files belong to the tree",
            )


def _refusal(folder: Path, said: str) -> IgorError:
    owned = re.search(r"in repository at '(.*)'", said)
    if _DUBIOUS in said and owned:
        return IgorError(
            f"{folder}: git refuses to read a repository that belongs to somebody else",
            f"if you trust it: git config --global --add safe.directory '{owned[1]}'",
        )
    if _BARE in said:
        return IgorError(
            f"{folder} looks like a bare git repository that came with its folder, and git could "
            "run programs by its config",
            "move the project out of the folder that holds HEAD, objects and refs",
        )
    lines = [line for line in said.splitlines() if line]
    return IgorError(f"{folder}: git can't list the files: {lines[-1] if lines else '?'}")
