"""What this machine has: programs, igor's own folders, ssh's files."""

import os
import platform
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError

PROGRAM_SECONDS = 5.0


@dataclass(frozen=True)
class OwnFolder:
    """One of igor's own folders; `trouble` says why it can't be used."""

    path: str
    trouble: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Machine:
    """This machine. Programs are the first line of their `--version`, empty where missing.

    `unreadable` are ssh's files that exist and can't be read, each with the reason;
    `agent_socket` is SSH_AUTH_SOCK.
    """

    pid: int
    python: str
    git: str
    rsync: str
    ssh: str
    unreadable: tuple[str, ...]
    has_known_hosts: bool
    agent_socket: str
    agent_answers: bool
    state: OwnFolder
    runtime: OwnFolder


def look(env: Mapping[str, str]) -> Machine:
    """Gather all facts; `env` is the client's environment. Blocks for some 50 ms."""
    agent_socket = env.get("SSH_AUTH_SOCK", "")
    return Machine(
        pid=os.getpid(),
        python=platform.python_version(),
        git=_version(["git", "--version"]),
        rsync=_version(["rsync", "--version"]),
        ssh=_version(["ssh", "-V"]),
        unreadable=tuple(_unreadable()),
        has_known_hosts=any(file.exists() for file in _known_hosts()),
        agent_socket=agent_socket,
        agent_answers=_answers(agent_socket),
        state=_own_folder(directories.state_directory),
        runtime=_own_folder(directories.runtime_directory),
    )


def _version(argv: list[str]) -> str:
    """Return the first line that a program prints; ssh prints its version to stderr."""
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


def _unreadable() -> Iterator[str]:
    configs = [Path.home() / ".ssh/config", Path("/etc/ssh/ssh_config")]
    for file in [*configs, *_known_hosts()]:
        try:
            file.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{file} ({error.strerror})"


def _answers(agent_socket: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(agent_socket)
        except OSError:
            return False
    return True


def _own_folder(find: Callable[[], Path]) -> OwnFolder:
    """Write a file into the folder: permissions don't tell of full disks and read-only mounts."""
    try:
        folder = find()
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"igor")
    except IgorError as error:
        return OwnFolder("", error.message, error.hint)
    except OSError as error:
        return OwnFolder(str(error.filename or ""), error.strerror or str(error))
    return OwnFolder(str(folder))
