"""Stacks by py-spy, which reads a process's memory and neither stops nor changes it (3.6)."""

import json
import os
import shutil
import subprocess
import sys

SECONDS = 15
# What it reads may change under its eyes.
_TRIES = 3


def find_py_spy():
    """Beside this Python, in its environment, on the PATH, or where pip puts it for one user."""
    folders = [os.path.dirname(sys.executable)]
    folders += [os.path.join(os.environ.get("VIRTUAL_ENV") or "/nowhere", "bin")]
    folders += os.environ.get("PATH", "").split(os.pathsep)
    folders += [os.path.join(os.path.expanduser("~"), ".local", "bin")]
    return shutil.which("py-spy", path=os.pathsep.join(folders)) or ""


def threads_by_py_spy(program, pid):
    """(threads, None), or (None, why not)."""
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
            return None, "it took longer than %d s" % SECONDS
        except (OSError, ValueError, KeyError) as error:
            said = str(error)
    return None, (said.splitlines() or ["it said nothing"])[-1]


def thread_of(item, pid):
    """One of py-spy's threads; a main thread that Python has no name for has one here."""
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
