"""The project: the folder that holds .igor/config.json, found upwards from a file in hand."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from igor_core.config.check import broken
from igor_core.config.model import Config
from igor_core.config.problem import ConfigError, Problem
from igor_core.config.read import parse, read_bytes
from igor_core.config.rules import FOLDER_NAME
from igor_core.errors import UsageError

CONFIG_FILE = Path(".igor", "config.json")
#: Also decides what igor does on its own: which files go to the hosts.
IGNORE_FILE = Path(".igor", "ignore")
DEFAULT_DOCKERFILES = ("dockerfile", "Dockerfile")


@dataclass(frozen=True)
class Project:
    """A project on this machine: its real root and its config.

    `digest` (sha256, hex) covers all its files that decide what igor does on its own.
    """

    root: Path
    config: Config
    digest: str

    @property
    def name(self) -> str:
        return self.config.project or self.root.name

    @property
    def config_file(self) -> Path:
        return self.root / CONFIG_FILE

    def dockerfile(self) -> str:
        """Return the dockerfile's path from the root. Raises UsageError when it doesn't exist.

        Compares names with the folder's list: on a file system that ignores case, 'dockerfile'
        would seem to exist, and then be missing on the host.
        """
        configured = self.config.dockerfile
        for name in (configured,) if configured else DEFAULT_DOCKERFILES:
            path = self.root / name
            if path.is_file() and path.name in os.listdir(path.parent):
                return name
        raise UsageError(
            f"there is no {configured or ' or '.join(DEFAULT_DOCKERFILES)} in {self.root}",
            'write one, set "dockerfile" in the config, or set "runtime" to "none"',
        )


def find_project(start: Path) -> Project:
    """Return the project around `start`, a file or folder that need not exist.

    Raises UsageError when no folder upwards has .igor/config.json, ConfigError when it is wrong.
    """
    root = _root(start)
    file = root / CONFIG_FILE
    data = read_bytes(file)
    config = parse(data, file)
    _check_folder_name(config, root, file)
    return Project(root, config, _digest(data, _ignored(root / IGNORE_FILE)))


def _digest(config: bytes, ignored: bytes | None) -> str:
    from hashlib import sha256

    digest = sha256(config).hexdigest()
    if ignored is None:
        return digest
    return sha256(f"{digest} {sha256(ignored).hexdigest()}".encode()).hexdigest()


def _ignored(file: Path) -> bytes | None:
    """Return the content of .igor/ignore, None without one. Doesn't wait for a pipe."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return os.strerror(error.errno or 0).encode()
    with open(descriptor, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b"not a file"


def _root(start: Path) -> Path:
    """Return the folder that has the config, symbolic links resolved: a project has one root."""
    path = os.path.abspath(start)
    for folder in (Path(path), *Path(path).parents):
        if os.path.lexists(folder / CONFIG_FILE):
            return folder.resolve()
    raise UsageError(
        f"no {CONFIG_FILE} in {path} or a folder above it",
        "run 'igor init' in the project's folder",
    )


def _check_folder_name(config: Config, root: Path, file: Path) -> None:
    """Check the folder's name where it names the project."""
    if config.project is not None:
        return
    sentence = broken(root.name, FOLDER_NAME)
    if sentence is None and _is_text(root.name):
        return
    reason = sentence or "must be valid UTF-8"
    message = (
        f"must be set: the folder's name {root.name!r} can't name the project, since it {reason}"
    )
    raise ConfigError(file, [Problem("project", 1, message)])


def _is_text(name: str) -> bool:
    """Whether a file's name was UTF-8; other bytes are surrogates, which don't encode."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
