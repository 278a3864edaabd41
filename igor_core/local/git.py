"""The one owner of git: asks it which files a folder holds."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from igor_core.errors import IgorError

ALL = ("-co", "--exclude-standard")
IGNORED = ("-oi", "--exclude-standard")

_NO_REPOSITORY = "not a git repository (or any"
_DUBIOUS = "dubious ownership"


@dataclass(frozen=True)
class List:
    """What git wrote; folders that it couldn't read are not in it."""

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
    """What `git ls-files` lists below `folder`, or `only` of these; None outside of a repository.

    A submodule and a repository inside are listed as one path. Raises IgorError where git
    refuses, or is missing and there is a repository.
    """
    return Listed(folder, options, only).answer()


class Listed:
    """A list that git is about to make, while others do something else."""

    def __init__(
        self, folder: Path, options: tuple[str, ...] = ALL, only: Iterable[bytes] = ()
    ) -> None:
        self._folder = folder
        # git never waits for a reader of it, as it would when a pipe is full.
        self._output = _memory()
        self._git = _start(
            folder, "--literal-pathspecs", "ls-files", "-z", *options, "--", *only, to=self._output
        )

    def answer(self) -> List | None:
        """Wait for it; the result of `list_files`."""
        with self._output:
            if self._git is None:
                _refuse_repository(self._folder)
                return None
            complaint = self._git.communicate()[1]
            self._output.seek(0)
            raw = self._output.read()
        if self._git.returncode == 0:
            return List(raw, complete=b"could not open directory" not in complaint)
        said = complaint.decode("utf-8", "replace").strip()
        if _NO_REPOSITORY in said:
            return None
        raise _refusal(self._folder, said)

    def discard(self) -> None:
        """Nobody wants it any more."""
        self._output.close()
        if self._git is not None and self._git.returncode is None:
            self._git.kill()
            self._git.communicate()


def ignores_folder(folder: Path) -> bool:
    """Whether the repository around a folder ignores it as a whole, and all that is in it."""
    if (folder / ".git").exists():
        return False
    git = _start(folder, "check-ignore", "-q", str(folder), to=subprocess.DEVNULL)
    if git is None:
        return False
    git.communicate()
    return git.returncode == 0


def _memory() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("igor-git"), "w+b", buffering=0)
    return cast(BinaryIO, tempfile.TemporaryFile(buffering=0))


def _start(
    folder: Path, *words: str | bytes, to: BinaryIO | int
) -> "subprocess.Popen[bytes] | None":
    """None where git is not installed."""
    # A hook's variables (GIT_DIR, GIT_INDEX_FILE, …) must not choose another repository.
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.Popen(
            # Listing must not run the program that a repository's own config names.
            ["git", "-c", "core.fsmonitor=false", "-C", folder, *words],
            stdin=subprocess.DEVNULL,
            stdout=to,
            stderr=subprocess.PIPE,
            env={**environment, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return None


def _refuse_repository(folder: Path) -> None:
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            raise IgorError(
                f"git is not installed here, and {above} is a git repository",
                "install git: only it knows which files belong to the tree",
            )


def _refusal(folder: Path, said: str) -> IgorError:
    owned = re.search(r"in repository at '(.*)'", said)
    if _DUBIOUS in said and owned:
        return IgorError(
            f"{folder}: git refuses to read a repository that belongs to somebody else",
            f"if you trust it: git config --global --add safe.directory '{owned[1]}'",
        )
    lines = [line for line in said.splitlines() if line]
    return IgorError(f"{folder}: git can't list the files: {lines[-1] if lines else '?'}")
