"""Stacks via py-spy, which reads a process's memory without stopping it (3.6)."""

import json
import os
import shutil
import subprocess
import sys

SECONDS = 15
# The memory may change while py-spy reads it.
_TRIES = 3


def find_py_spy():
    """Find py-spy beside this Python, in VIRTUAL_ENV, in PATH or in ~/.local/bin; else ""."""
    folders = [os.path.dirname(sys.executable)]
    folders += [os.path.join(os.environ.get("VIRTUAL_ENV") or "/nowhere", "bin")]
    folders += os.environ.get("PATH", "").split(os.pathsep)
    folders += [os.path.join(os.path.expanduser("~"), ".local", "bin")]
    return shutil.which("py-spy", path=os.pathsep.join(folders)) or ""


def threads_by_py_spy(program, pid):
    """Return (threads, None), or (None, reason)."""
    said = ""
    for _ in range(_TRIES):
        command = [program, "dump", "--nonblocking", "--json", "--pid", str(pid)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=SECONDS,
            )
            if done.returncode == 0:
                return [thread_of(item, pid) for item in json.loads(done.stdout.decode())], None
            said = os.fsdecode(done.stderr).strip()
        except subprocess.TimeoutExpired:
            return None, "py-spy took longer than %d s" % SECONDS
        except (OSError, ValueError, KeyError) as error:
            said = str(error)
    return None, (said.splitlines() or ["no message"])[-1]


def thread_of(item, pid):
    """Convert one of py-spy's threads; a main thread without a name gets one."""
    name = item.get("thread_name") or ""
    if not name and item.get("os_thread_id") == pid:
        name = "MainThread"
    return {
        "name": name,
        "id": item.get("os_thread_id") or item.get("thread_id"),
        "active": bool(item.get("active")),
        "gil": bool(item.get("owns_gil")),
        "frames": [
            {
                "path": frame.get("filename") or "",
                "line": frame.get("line") or 0,
                "function": frame.get("name") or "",
            }
            for frame in item.get("frames") or []
        ],
    }
