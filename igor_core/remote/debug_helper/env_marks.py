"""Find the processes of a debug session by a variable in their environment (3.6).

debugpy's adapter is a daemon in a session of its own, and so may children be, but the environment
that a process was started with stays visible (proc(5), /proc/PID/environ).
"""

import os
import signal
import time

MARK_GROUP = "IGOR_DEBUG_GROUP"
MARK_ID = "IGOR_DEBUG_ID"


def marked(name, value):
    """Return the PIDs of processes started with this variable. A zombie has no environment."""
    wanted = os.fsencode("%s=%s" % (name, value))
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open("/proc/%s/environ" % entry, "rb") as environ:
                    if wanted in environ.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                continue
    return found


def end_marked(name, value, patience=1.0):
    """End them all with TERM, then KILL; return how many are left."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 3.0)):
        deadline = time.monotonic() + seconds
        pids = marked(name, value)
        for pid in pids:
            send(pid, number)
        while pids and time.monotonic() < deadline:
            time.sleep(0.01)
            pids = marked(name, value)
        if not pids:
            return 0
    return len(pids)


def send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def listens(port):
    """Whether something listens on the port, without connecting: state 0A in /proc/net/tcp.

    DebuggerConnections that have just ended are listed too, with the same port.
    """
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as table:
                rows = [line.split() for line in table][1:]
        except OSError:
            continue
        if any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows):
            return True
    return False
