"""Where igor keeps its own files on this machine: the socket and the lock, state, the log."""

import os
import stat
from pathlib import Path

from igor_core.errors import AgentError


def runtime_directory() -> Path:
    """The private folder of the socket and the lock: `$XDG_RUNTIME_DIR/igor` or `/tmp/igor-UID`.

    Created 0700. Raises AgentError where it belongs to somebody else or others may enter it:
    whoever can connect to the socket can run commands on the user's hosts.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "igor" if base else Path(f"/tmp/igor-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, parents=bool(base), exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise AgentError(
            f"{folder}: the folder of the agent's socket can't be made: {error.strerror}",
            "set XDG_RUNTIME_DIR to a folder of yours",
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise AgentError(
            f"{folder}: the folder of the agent's socket isn't private to you",
            f"remove it, or: chmod 700 {folder}",
        )
    return folder


def state_path() -> str:
    """`$XDG_STATE_HOME/igor` (default `~/.local/state/igor`), which need not be there."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "igor")


def state_directory() -> Path:
    """The same, created 0700."""
    folder = Path(state_path())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AgentError(
            f"{folder}: the folder of igor's state can't be made: {error.strerror}",
            "set XDG_STATE_HOME to a folder of yours",
        ) from None
    return folder


def socket_path() -> Path:
    return runtime_directory() / "agent.sock"


def pid_path() -> Path:
    return runtime_directory() / "agent.pid"


def unsent_path() -> Path:
    """Where an editor that finds no agent names what it has saved."""
    return state_directory() / "unsent"


def log_path() -> Path:
    return state_directory() / "agent.log"
