"""Whether this user may trace a process, and if not, why (3.6).

ptrace(2) requires the same user and respects Yama's scope, or requires the capability SYS_PTRACE.
Opening a process's memory needs the same permission, and neither stops nor changes the process. The
engine's seccomp filter may forbid process_vm_writev(2) besides; writing to oneself shows that.
"""

import ctypes
import os

from igor_core.remote.process_probe.processes import read_text

_SYS_PTRACE = 19


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def why_denied(process):
    """Return "" if the process may be traced, else "user", "yama" or "denied"."""
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
    """Whether process_vm_writev is allowed; assumed if the libc does not have it."""
    try:
        call = ctypes.CDLL(None).process_vm_writev
    except (OSError, AttributeError):
        return True
    source, target = ctypes.create_string_buffer(1), ctypes.create_string_buffer(1)
    local, remote = Vector(ctypes.addressof(source), 1), Vector(ctypes.addressof(target), 1)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    call.restype = ctypes.c_ssize_t
    return call(os.getpid(), ctypes.byref(local), one, ctypes.byref(remote), one, none) == 1


def root_may():
    """Whether root of this container would have the capability SYS_PTRACE."""
    for line in read_text("/proc/self/status").splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _SYS_PTRACE & 1)
    return False
