"""The project: the folder with .igor/config.json, found upwards from a file or folder."""

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
#: Says too what igor does by itself: which files go to the hosts.
IGNORE_FILE = Path(".igor", "ignore")
DEFAULT_DOCKERFILES = ("dockerfile", "Dockerfile")


@dataclass(frozen=True)
class Project:
    """A local project: its real root and its config.

    `digest` (sha256, hex) is of all files in it that decide what igor does by itself.
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
        """The dockerfile's path from the root; UsageError when it doesn't exist.

        Names are compared with the folder's own list: on a file system that ignores case,
        'dockerfile' would seem to exist and then be missing on the host.
        """
        configured = self.config.dockerfile
        for name in (configured,) if configured else DEFAULT_DOCKERFILES:
            path = self.root / name
            if path.is_file() and path.name in os.listdir(path.parent):
                return name
        raise UsageError(
            f"there is no {configured or ' or '.join(DEFAULT_DOCKERFILES)} in {self.root}",
            'write one, name it by "dockerfile" in the config, or set "runtime" to "none"',
        )


def find_project(start: Path) -> Project:
    """The project that `start` (a file or folder, which need not exist) is in.

    UsageError when no folder upwards holds .igor/config.json, ConfigError when it is wrong.
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
    """The content of the ignore file, None without one. Does not wait for a pipe."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return os.strerror(error.errno or 0).encode()
    with open(descriptor, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b"not a file"


def _root(start: Path) -> Path:
    """The folder that holds the config, without symbolic links: one project has one root."""
    path = os.path.abspath(start)
    for folder in (Path(path), *Path(path).parents):
        if os.path.lexists(folder / CONFIG_FILE):
            return folder.resolve()
    raise UsageError(
        f"no {CONFIG_FILE} in {path} or a folder above it",
        "run 'igor init' in the project's folder",
    )


def _check_folder_name(config: Config, root: Path, file: Path) -> None:
    """Check that the folder's name, if it is the project's name, is valid as one."""
    if config.project is not None:
        return
    sentence = broken(root.name, FOLDER_NAME)
    if sentence is None and _is_text(root.name):
        return
    reason = sentence or "must be valid UTF-8"
    message = f"the folder's name {root.name!r} can't name the project: it {reason}; set this key"
    raise ConfigError(file, [Problem("project", 1, message)])


def _is_text(name: str) -> bool:
    """Whether a file name was UTF-8; other bytes become surrogates, which do not encode."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
