# mypy: ignore-errors
# ruff: noqa: UP031
"""Whether one process may look into another, and if not, why. Runs there (3.6).

The rules are ptrace(2)'s: same user, Yama's scope, the container's seccomp filter; with the
capability SYS_PTRACE none of them counts. They are asked by reading one byte of the process's
memory (process_vm_readv(2)), by which it is neither stopped nor changed.
"""

import ctypes
import errno
import os

from igor_core.debug.inside.processes import read_text

_SYS_PTRACE = 19


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def why_denied(process):
    """Nothing where the process may be read; else "seccomp", "user", "yama" or "denied"."""
    address = first_address(process["pid"])
    if address and may_read(process["pid"], address):
        return ""
    own = ctypes.create_string_buffer(1)
    if not may_read(os.getpid(), ctypes.addressof(own)):
        return "seccomp"
    if process["uid"] != os.geteuid():
        return "user"
    scope = read_text("/proc/sys/kernel/yama/ptrace_scope").strip()
    return "yama" if scope.isdigit() and int(scope) > 0 else "denied"


def may_read(pid, address):
    """Read a byte; without the call (another libc) nothing speaks against it."""
    try:
        call = ctypes.CDLL(None, use_errno=True).process_vm_readv
    except (OSError, AttributeError):
        return True
    buffer = ctypes.create_string_buffer(1)
    here = Vector(ctypes.addressof(buffer), 1)
    there = Vector(address, 1)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    call.restype = ctypes.c_ssize_t
    done = call(pid, ctypes.byref(here), one, ctypes.byref(there), one, none)
    return done == 1 or ctypes.get_errno() not in (errno.EPERM, errno.EACCES, errno.ENOSYS)


def first_address(pid):
    """Where the process has memory that can be read; 0 where not even that may be known."""
    for line in read_text("/proc/%d/maps" % pid).splitlines():
        addresses, rights = line.split()[:2]
        if rights.startswith("r"):
            return int(addresses.partition("-")[0], 16)
    return 0


def root_may():
    """Whether root of this container would have the capability to look into all processes."""
    for line in read_text("/proc/self/status").splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _SYS_PTRACE & 1)
    return False
