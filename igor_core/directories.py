"""Where igor keeps its local files: the socket and the lock, state, the log."""

import contextlib
import logging
import os
import stat
from pathlib import Path

from igor_core.errors import AgentError


def runtime_directory() -> Path:
    """The private folder of the socket and the lock: `$XDG_RUNTIME_DIR/igor`.

    Where the variable is not set (cron, su), it is systemd's folder for the user, `/run/user/UID`,
    or without that `/tmp/igor-UID`. Created 0700. Raises AgentError where it belongs to somebody
    else or others may enter it: whoever can connect to the socket can run commands on the user's
    hosts.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or _systemds_folder()
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


def _systemds_folder() -> str:
    """Return what pam_systemd(8) sets XDG_RUNTIME_DIR to in a login of the user; "" without it."""
    folder = f"/run/user/{os.getuid()}"
    with contextlib.suppress(OSError):
        found = os.lstat(folder)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            return folder
    return ""


def state_path() -> str:
    """`$XDG_STATE_HOME/igor` (default `~/.local/state/igor`), which need not exist."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "igor")


def state_directory() -> Path:
    """The same folder, created with mode 0700; if others can enter it, close it to them.

    Raises AgentError where it belongs to somebody else: whoever writes there says what is trusted.
    """
    folder = Path(state_path())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            owner = _closed(descriptor, folder)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AgentError(
            f"{folder}: the folder of igor's state can't be made or used: {error.strerror}",
            "set XDG_STATE_HOME to a folder of yours",
        ) from None
    if owner != os.getuid():
        raise AgentError(
            f"{folder}: the folder of igor's state belongs to another user (uid {owner})",
            "remove it, or set XDG_STATE_HOME to a folder of yours",
        )
    return folder


def _closed(descriptor: int, folder: Path) -> int:
    """Return the owner of the open folder; make the user's own folder private."""
    found = os.fstat(descriptor)
    if found.st_uid == os.getuid() and found.st_mode & 0o077:
        os.fchmod(descriptor, 0o700)
        logging.getLogger(__name__).warning("%s was open to others; it is 0700 now", folder)
    return found.st_uid


def socket_path() -> Path:
    return runtime_directory() / "agent.sock"


def state_lock_path() -> Path:
    """The file that an agent locks as long as it lives: process and machine, then its socket."""
    return state_directory() / "agent.lock"


def recorded_socket_path() -> Path | None:
    """The socket of the agent that last used the state folder; None if there was none."""
    with contextlib.suppress(OSError, UnicodeError):
        lines = state_lock_path().read_text().splitlines()
        return Path(lines[1]) if len(lines) > 1 else None
    return None


def pid_path() -> Path:
    return runtime_directory() / "agent.pid"


def unsent_path() -> Path:
    """The file where an editor records its saves while no agent is running."""
    return state_directory() / "unsent"


def log_path() -> Path:
    return state_directory() / "agent.log"
