"""Whether a debugger can attach to a running process, by what, and else what is missing."""

from igor_core.debug.processes.model import Means, PythonProcess
from igor_core.debug.processes.unreadable import MAY_LOOK
from igor_core.errors import HostError

#: Python runs code that others ask it to, from this version on (PEP 768).
REMOTE_EXEC = (3, 14)
#: Older ones were seen to kill the process on today's kernels.
SAFE_GDB = 14

_DENIED = {
    "user": "it is another user's",
    "yama": "kernel.yama.ptrace_scope forbids it on this host",
    "denied": "the kernel forbids it",
}


def way_to_attach(process: PythonProcess, where: str) -> str:
    """What debugpy will do it by, in words. `where` is the host or its container.

    HostError says what is missing and how to have it.
    """
    means = process.means
    assert means is not None
    who = f"process {process.pid} {where}"
    _check_not_debugged(process, who)
    if not means.debugpy:
        raise HostError(
            f"{means.python} {where} has no debugpy",
            "add it to the image, as in `RUN pip install debugpy`, or: "
            "igor docker exec pip install debugpy",
        )
    if means.denied:
        raise HostError(f"{who} can't be attached to: {_DENIED[means.denied]}", MAY_LOOK)
    missing = _without_gdb(process, means)
    if not missing:
        return f"Python {_text(means.version)} itself"
    if means.gdb:
        return f"gdb {means.gdb_version or ''}".strip()
    raise HostError(f"{who} can't be attached to: {missing[0]}", missing[1])


def is_dangerous(process: PythonProcess) -> bool:
    """Whether it would be done by a gdb that may kill the process."""
    means = process.means
    assert means is not None
    return bool(_without_gdb(process, means)) and 0 < means.gdb_version < SAFE_GDB


def _check_not_debugged(process: PythonProcess, who: str) -> None:
    if process.session:
        raise HostError(
            f"{who} is part of what igor debugs already",
            "come back to it: igor debug --reattach, in Neovim :IgorDebug --reattach",
        )


def _without_gdb(process: PythonProcess, means: Means) -> tuple[str, str] | None:
    """Why Python itself won't do it, and the remedy; None where it does."""
    own, other = _text(means.version), _text(means.adapter)
    gdb = f"gdb {SAFE_GDB} or later in the image (older ones can kill the process)"
    if means.version < REMOTE_EXEC:
        text = f"Python {own} needs gdb for that, and the image has none"
        return text, f"{gdb}, or Python 3.14"
    if means.version != means.adapter:
        text = f"it runs Python {own}, and debugpy is in Python {other}"
        return text, 'name its Python in the config: "debug": {"python": "…"}'
    if not process.remote_exec:
        return "it was started with PYTHON_DISABLE_REMOTE_DEBUG", gdb
    if not means.may_write:
        return "the engine's seccomp filter forbids it in this container", MAY_LOOK
    return None


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version) or "(unknown)"
