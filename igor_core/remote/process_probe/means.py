"""What a debugger needs to attach to a running process, as far as it is available (3.6).

Python 3.14 and later runs code for another process of the same version (PEP 768); gdb makes any
Python do so. debugpy tries both, in this order.
"""

import os
import re
import shutil
import subprocess
import sys

from igor_core.remote.debug_helper.debuggee import debugpy_folder
from igor_core.remote.process_probe.access import may_write, why_denied


def means_for(process):
    """Return what is available; the process is not touched."""
    gdb = shutil.which("gdb") or ""
    return {
        "version": version_of(process),
        "adapter": list(sys.version_info[:2]),
        "python": sys.executable,
        "debugpy": debugpy_folder(dict(os.environ)),
        "denied": why_denied(process),
        "may_write": may_write(),
        "gdb": gdb,
        "gdb_version": gdb_version(gdb) if gdb else 0,
    }


def version_of(process):
    """Return [major, minor] of the process's Python, [] if unknown."""
    named = re.match(r"python(\d+)\.(\d+)", os.path.basename(process["exe"]))
    if named:
        return [int(number) for number in named.groups()]
    script = "import sys; print(*sys.version_info[:2])"
    said = output_of(["/proc/%d/exe" % process["pid"], "-I", "-S", "-c", script])
    return [int(word) for word in said.split() if word.isdigit()]


def gdb_version(gdb):
    """Return gdb's major version, 0 if unknown."""
    line = (output_of([gdb, "--version"]).splitlines() or [""])[0]
    found = re.search(r"(\d+)\.\d+\S*$", line)
    return int(found.group(1)) if found else 0


def output_of(command):
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=10,
        )
        return os.fsdecode(done.stdout)
    except (OSError, subprocess.TimeoutExpired):
        return ""
