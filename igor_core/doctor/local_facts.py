"""Facts about the local machine: programs, igor's own folders, ssh's files."""

import os
import platform
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError

PROGRAM_SECONDS = 5.0


@dataclass(frozen=True)
class Folder:
    """One of igor's own folders; `trouble` says why it cannot be used."""

    path: str
    trouble: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Agent:
    """The user's ssh-agent: where its socket is, and whether it answers."""

    path: str = ""
    answers: bool = False


@dataclass(frozen=True)
class Machine:
    """The local machine. Programs are the first line of their `--version`, empty if missing.

    `unreadable` are files of ssh that exist and can't be read, each with the reason.
    """

    pid: int
    python: str
    git: str
    rsync: str
    ssh: str
    unreadable: tuple[str, ...]
    has_known_hosts: bool
    ssh_agent: Agent
    state: Folder
    runtime: Folder


def look(env: Mapping[str, str]) -> Machine:
    """Gather all facts; `env` is the client's environment. Blocks for about 50 ms."""
    return Machine(
        pid=os.getpid(),
        python=platform.python_version(),
        git=_version(["git", "--version"]),
        rsync=_version(["rsync", "--version"]),
        ssh=_version(["ssh", "-V"]),
        unreadable=tuple(_unreadable()),
        has_known_hosts=any(file.exists() for file in _known_hosts()),
        ssh_agent=_agent(env.get("SSH_AUTH_SOCK", "")),
        state=_folder(directories.state_directory),
        runtime=_folder(directories.runtime_directory),
    )


def _version(argv: list[str]) -> str:
    """ssh prints its version to stderr."""
    if shutil.which(argv[0]) is None:
        return ""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run: {error}"
    return next(iter((done.stdout or done.stderr).splitlines()), "").strip()


def _known_hosts() -> list[Path]:
    return [Path.home() / ".ssh/known_hosts", Path("/etc/ssh/ssh_known_hosts")]


def _unreadable() -> list[str]:
    found = []
    configs = [Path.home() / ".ssh/config", Path("/etc/ssh/ssh_config")]
    for file in [*configs, *_known_hosts()]:
        try:
            file.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.append(f"{file} ({error.strerror})")
    return found


def _agent(path: str) -> Agent:
    if not path:
        return Agent()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(path)
        except OSError:
            return Agent(path)
    return Agent(path, answers=True)


def _folder(find: Callable[[], Path]) -> Folder:
    """Try to write: permissions do not show full disks and read-only mounts."""
    try:
        folder = find()
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"igor")
    except IgorError as error:
        return Folder("", error.message, error.hint)
    except OSError as error:
        return Folder(str(error.filename or ""), error.strerror or str(error))
    return Folder(str(folder))
