"""Killing a process for good: its group, then its whole session. Runs on hosts (Python 3.6+)."""

import os
import signal
import subprocess
import time

# How long each signal has to take effect.
GRACE_SECONDS = 3.0


def kill_session(leader, first):
    """Kill the session that process `leader` leads; return the name of the signal that did it.

    Sends `first` ("INT" or "HUP"), then TERM, then KILL; "" if the session outlives them all.
    """
    for name in (first, "TERM", "KILL"):
        number = getattr(signal, "SIG" + name)
        signal_group(leader, number)
        for pid in strays(leader):
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                pass
        if is_gone(leader):
            return name
    return ""


def run_end_command(command):
    """Run the command that kills what runs in a container; return the signal that it names."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=4 * GRACE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = done.stdout.decode("utf-8", "replace").split()
    return said[-1] if said else ""


def signal_group(leader, number):
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        pass


def is_gone(leader):
    """Wait for the end of the group, then of the rest of its session; False after the grace."""
    deadline = time.monotonic() + GRACE_SECONDS
    pause = 0.02
    while time.monotonic() < deadline:
        if not group_lives(leader):
            if not strays(leader):
                return True
            pause = 0.1
        time.sleep(pause)
    return False


def group_lives(leader):
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def strays(leader):
    """List the processes of the session that are in other process groups than `leader`'s.

    From /proc (proc(5)): after the name in parentheses come state, parent, group, session.
    """
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except OSError:
                continue
            state, group, session = fields[0], int(fields[2]), int(fields[3])
            if session == leader != group and state not in (b"Z", b"X"):
                found.append(int(name))
    return found
