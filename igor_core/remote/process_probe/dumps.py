"""Stacks that processes write themselves, by faulthandler, when a signal asks for them (3.6).

Only such are asked as `sitecustomize` has registered: they catch the signal and have the file that
faulthandler writes to. To any other process the signal would be the end.

A child that was forked writes to the same file as its parent, so one is asked after the other, and
who asks holds the file's lock.
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
    """The file that faulthandler writes to, as a path; empty for a process not registered."""
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
    """Whether the signal is in that mask of the process: caught, pending."""
    for line in read_text("/proc/%d/status" % pid).splitlines():
        if line.startswith(mask + ":"):
            return bool(int(line.split()[1], 16) >> (SIGNAL - 1) & 1)
    return False


def threads_by_dump(process, path):
    """(threads, None), or (None, why not)."""
    pid = process["pid"]
    if process["state"] in "Tt":
        return None, "it is stopped"
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return None, str(error)
    try:
        if not lock(file):
            return None, "others ask it all the time"
        # It may be another program by now.
        text = ask(pid, file) if file_of(pid) == path else ""
    except OSError as error:
        return None, str(error)
    finally:
        os.close(file)
    threads = parse_dump(text)
    return (threads, None) if threads else (None, "it gave no answer")


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
    """What the process writes; the file is empty afterwards, as it was before."""
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
    """The threads of faulthandler's text; the one that is listed last is the oldest: the main."""
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
        # From 3.14 on it has the name that the kernel knows, the program's.
        threads[-1]["name"] = "MainThread"
    return threads


def unescaped(text):
    """faulthandler writes characters beyond ASCII as escapes."""
    return _ESCAPE.sub(character, text)


def character(escape):
    """What is none, as half of a pair, stays as it is; bytes of no text are kept as in paths."""
    code = int(next(filter(None, escape.groups())), 16)
    is_none = code > sys.maxunicode or 0xD800 <= code <= 0xDFFF
    return escape.group() if is_none and not 0xDC80 <= code <= 0xDCFF else chr(code)
