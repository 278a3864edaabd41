"""The one owner of git: asks it which files a folder holds."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from igor_core.errors import IgorError

ALL = ("-co", "--exclude-standard")
IGNORED = ("-oi", "--exclude-standard")

_NO_REPOSITORY = "not a git repository (or any"
_DUBIOUS = "dubious ownership"


@dataclass(frozen=True)
class Listing:
    """Paths from the folder, in git's order; folders that git couldn't read are not in it."""

    paths: tuple[bytes, ...]
    complete: bool


def list_files(folder: Path, options: tuple[str, ...] = ALL) -> Listing | None:
    """What `git ls-files` lists below `folder`; None outside of a repository.

    A submodule and a repository inside are listed as one path. Raises IgorError where git
    refuses, or is missing and there is a repository.
    """
    done = _git(folder, "ls-files", "-z", *options)
    if done is None:
        _refuse_repository(folder)
        return None
    if done.returncode == 0:
        # An unmerged file is listed once for each side.
        paths = tuple(dict.fromkeys(filter(None, done.stdout.split(b"\0"))))
        return Listing(paths, complete=b"could not open directory" not in done.stderr)
    said = done.stderr.decode("utf-8", "replace").strip()
    if _NO_REPOSITORY in said:
        return None
    raise _refusal(folder, said)


def ignores_folder(folder: Path) -> bool:
    """Whether the repository around a folder ignores it as a whole, and all that is in it."""
    if (folder / ".git").exists():
        return False
    done = _git(folder, "check-ignore", "-q", str(folder))
    return done is not None and done.returncode == 0


def _git(folder: Path, *words: str) -> "subprocess.CompletedProcess[bytes] | None":
    """None where git is not installed."""
    # A hook's variables (GIT_DIR, GIT_INDEX_FILE, …) must not choose another repository.
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.run(
            # Listing must not run the program that a repository's own config names.
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**environment, "LC_ALL": "C"},
            check=False,
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
