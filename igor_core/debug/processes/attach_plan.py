"""How a debugger can attach to a running process, or what is missing."""

from igor_core.debug.processes.model import Means, PythonProcess
from igor_core.debug.processes.unreadable import IN_CONTAINER
from igor_core.errors import HostError

#: The first version that runs code for another process (PEP 768).
REMOTE_EXEC = (3, 14)
#: Older versions killed processes on current kernels.
SAFE_GDB = 14

_DENIED = {
    "user": "it belongs to another user",
    "yama": "kernel.yama.ptrace_scope forbids it on this host",
    "denied": "the kernel forbids it",
}


def way_to_attach(process: PythonProcess, where: str) -> str:
    """Return in words what debugpy will use. `where` is the host or its container.

    Raises HostError, which says what is missing and how to get it.
    """
    means = process.means
    assert means is not None
    who = f"process {process.pid} {where}"
    _check_not_debugged(process, who)
    if not means.debugpy:
        raise HostError(
            f"{means.python} {where} has no debugpy",
            "add it to the image, e.g. `RUN pip install debugpy`, or: "
            "igor docker exec pip install debugpy",
        )
    if means.denied:
        raise HostError(f"{who} can't be attached to: {_DENIED[means.denied]}", IN_CONTAINER.ptrace)
    missing = _without_gdb(process, means)
    if not missing:
        return f"Python {_text(means.version)} itself"
    if means.gdb:
        return f"gdb {means.gdb_version or ''}".strip()
    raise HostError(f"{who} can't be attached to: {missing[0]}", missing[1])


def is_dangerous(process: PythonProcess) -> bool:
    """Whether debugpy would use a gdb that may kill the process."""
    means = process.means
    assert means is not None
    return bool(_without_gdb(process, means)) and 0 < means.gdb_version < SAFE_GDB


def _check_not_debugged(process: PythonProcess, who: str) -> None:
    if process.session:
        raise HostError(
            f"{who} is already being debugged by igor",
            "attach again: igor debug --reattach, in Neovim :IgorDebug --reattach",
        )


def _without_gdb(process: PythonProcess, means: Means) -> tuple[str, str] | None:
    """Why Python itself can't do it and the remedy; None if it can."""
    own, other = _text(means.version), _text(means.adapter)
    gdb = f"install gdb {SAFE_GDB} or later in the image (older ones can kill the process)"
    if means.version < REMOTE_EXEC:
        text = f"Python {own} needs gdb for that, and the image has none"
        return text, f"{gdb}, or use Python 3.14"
    if means.version != means.adapter:
        text = f"it runs Python {own}, but debugpy is installed for Python {other}"
        return text, 'set its Python in the config: "debug": {"python": "…"}'
    if not process.remote_exec:
        return "it was started with PYTHON_DISABLE_REMOTE_DEBUG", gdb
    if not means.may_write:
        return "the engine's seccomp filter forbids it in this container", IN_CONTAINER.ptrace
    return None


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version) or "(unknown)"
