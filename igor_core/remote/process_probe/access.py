"""Whether one process may look into another, and if not, why. Runs there (3.6).

The rules are ptrace(2)'s: the same user, and Yama's scope; with the capability SYS_PTRACE neither
counts. Opening a process's memory asks for the same right, and neither stops nor changes it.
Engines' seccomp filters may forbid process_vm_writev(2) beside that, which the process itself
finds out by writing to itself.
"""

import ctypes
import os

from igor_core.remote.process_probe.processes import read_text

_SYS_PTRACE = 19


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def why_denied(process):
    """Nothing where the process may be looked into; else "user", "yama" or "denied"."""
    try:
        os.close(os.open("/proc/%d/mem" % process["pid"], os.O_RDONLY | os.O_CLOEXEC))
        return ""
    except OSError:
        pass
    if process["uid"] != os.geteuid():
        return "user"
    scope = read_text("/proc/sys/kernel/yama/ptrace_scope").strip()
    return "yama" if scope.isdigit() and int(scope) > 0 else "denied"


def may_write():
    """Whether process_vm_writev is allowed at all; with another libc nothing speaks against it."""
    try:
        call = ctypes.CDLL(None).process_vm_writev
    except (OSError, AttributeError):
        return True
    source, target = ctypes.create_string_buffer(1), ctypes.create_string_buffer(1)
    here, there = Vector(ctypes.addressof(source), 1), Vector(ctypes.addressof(target), 1)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    call.restype = ctypes.c_ssize_t
    return call(os.getpid(), ctypes.byref(here), one, ctypes.byref(there), one, none) == 1


def root_may():
    """Whether root of this container would have the capability to look into all processes."""
    for line in read_text("/proc/self/status").splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _SYS_PTRACE & 1)
    return False
