"""Stacks that processes write themselves, via faulthandler, when they get a signal (3.6).

Only processes that `sitecustomize` has registered get it: they catch the signal and have open the
file that faulthandler writes to. Any other process would be killed by it.

A forked child writes to the same file as its parent, so they are asked in turn, under the file's
lock.
"""

import fcntl
import os
import re
import sys
import time

from igor_core.remote.process_probe.processes import link, read_text

NAME = "igor-stack"
# SIGRTMAX-1, as in sitecustomize.
SIGNAL = 63
ANSWER_SECONDS = 2.0
LOCK_SECONDS = 5.0
QUIET_SECONDS = 0.05
MOST_BYTES = 1 << 20

_THREAD = re.compile(
    r"(?:Current thread|Thread) 0x([0-9a-f]{1,16})(?: \[(.*)\])? \(most recent call first\):$"
)
_FRAME = re.compile(r'  File "(.*)", line (\d{1,9}|\?\?\?) in (.*)$')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def file_of(pid):
    """Return the path of the file that faulthandler writes to, "" if not registered."""
    if not has_signal(pid, "SigCgt"):
        return ""
    folder = "/proc/%d/fd" % pid
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    for name in sorted(names, key=int, reverse=True):
        target = os.path.basename(link("%s/%s" % (folder, name)))
        if target.startswith(("memfd:" + NAME, "." + NAME)):
            return "%s/%s" % (folder, name)
    return ""


def has_signal(pid, mask):
    """Whether SIGNAL is in a mask of the process, as in /proc/PID/status (SigCgt, ShdPnd)."""
    for line in read_text("/proc/%d/status" % pid).splitlines():
        if line.startswith(mask + ":"):
            return bool(int(line.split()[1], 16) >> (SIGNAL - 1) & 1)
    return False


def threads_by_dump(process, path):
    """Return (threads, None), or (None, reason)."""
    pid = process["pid"]
    if process["state"] in "Tt":
        return None, "it is stopped"
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return None, str(error)
    try:
        if not lock(file):
            return None, "other probes keep its file locked"
        # The process may run another program by now.
        text = ask(pid, file) if file_of(pid) == path else ""
    except OSError as error:
        return None, str(error)
    finally:
        os.close(file)
    threads = parse_dump(text)
    return (threads, None) if threads else (None, "no answer")


def lock(file):
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
        time.sleep(0.02)


def ask(pid, file):
    """Return what the process writes, and empty the file again."""
    os.ftruncate(file, 0)
    os.kill(pid, SIGNAL)
    deadline = time.monotonic() + ANSWER_SECONDS
    size, since = 0, time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.005)
        now = os.fstat(file).st_size
        if now != size:
            size, since = now, time.monotonic()
        elif size and time.monotonic() - since > QUIET_SECONDS and not has_signal(pid, "ShdPnd"):
            break
    data = os.pread(file, MOST_BYTES, 0)
    os.ftruncate(file, 0)
    return data.decode("ascii", "replace")


def parse_dump(text):
    """Parse faulthandler's text; the thread listed last is the oldest, the main thread."""
    threads = []
    for line in text.splitlines():
        head, frame = _THREAD.match(line), _FRAME.match(line)
        if head:
            threads.append(
                {
                    "name": head.group(2) or "",
                    "id": int(head.group(1), 16),
                    "active": None,
                    "gil": None,
                    "frames": [],
                }
            )
        elif frame and threads:
            number = frame.group(2)
            threads[-1]["frames"].append(
                {
                    "path": unescaped(frame.group(1)),
                    "line": int(number) if number.isdigit() else 0,
                    "function": unescaped(frame.group(3)),
                }
            )
    if threads:
        # From 3.14 on faulthandler shows the name that the kernel has, the program's.
        threads[-1]["name"] = "MainThread"
    return threads


def unescaped(text):
    """Undo faulthandler's escapes for characters beyond ASCII."""
    return _ESCAPE.sub(character, text)


def character(escape):
    """Decode an escape; keep those that are no character, but for undecodable bytes of paths."""
    code = int(next(filter(None, escape.groups())), 16)
    is_none = code > sys.maxunicode or 0xD800 <= code <= 0xDFFF
    return escape.group() if is_none and not 0xDC80 <= code <= 0xDCFF else chr(code)
