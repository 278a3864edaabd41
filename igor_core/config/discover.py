"""What a first config can name: files in the project's folder, hosts in ssh's config."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from igor_core.config.check import broken
from igor_core.config.project import DEFAULT_DOCKERFILES
from igor_core.config.rules import IN_PROJECT
from igor_core.config.ssh_hosts import literal_hosts

DOCKERFILES = (*DEFAULT_DOCKERFILES, "*.[dD]ockerfile", "[dD]ockerfile.*")
REBUILD_FILES = (
    "requirements*.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
    "environment.yml",
    "environment.yaml",
    "conda-lock.yml",
)


@dataclass(frozen=True)
class Discovered:
    """File names in the project's root, and hosts in ssh's config; the likeliest first."""

    dockerfiles: tuple[str, ...]
    rebuild_files: tuple[str, ...]
    hosts: tuple[str, ...]


def discover(root: Path, ssh_config: Path) -> Discovered:
    """Search `root` and an ssh config, such as ~/.ssh/config; either may be missing."""
    names = _file_names(root)
    return Discovered(
        dockerfiles=tuple(_matching(names, DOCKERFILES)),
        rebuild_files=tuple(_matching(names, REBUILD_FILES)),
        hosts=tuple(literal_hosts(ssh_config)),
    )


def _file_names(root: Path) -> list[str]:
    """Return the names that a config can have, and an answer, which separates names by commas."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return []
    return [e.name for e in entries if e.is_file() and "," not in e.name and _usable(e.name)]


def _usable(name: str) -> bool:
    return broken(name, IN_PROJECT) is None and not name.endswith(".dockerignore")


def _matching(names: list[str], patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        yield from (name for name in names if fnmatchcase(name, pattern))
