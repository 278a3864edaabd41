"""Run debugpy.adapter beside a process, and disconnect for a debugger that is cut off (3.6).

After an adapter that is killed no other adapter can attach to the process. So it runs in a session
of its own, which signals to this one do not reach; at the end of input, or on a signal, it first
gets a `disconnect`.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time

LEAVE_SECONDS = 2.5


def main():
    command = [sys.executable, "-Xfrozen_modules=off", "-m", "debugpy.adapter"]
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    adapter = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, bufsize=0)
    threading.Thread(target=lambda: os._exit(adapter.wait() & 0xFF), daemon=True).start()
    try:
        if pass_on(woken, adapter.stdin.fileno()):
            write_all(adapter.stdin.fileno(), leave())
            time.sleep(LEAVE_SECONDS)
    except OSError:
        time.sleep(LEAVE_SECONDS)
    adapter.kill()
    time.sleep(LEAVE_SECONDS)


def pass_on(woken, target):
    """Copy from the debugger until it ends or a signal comes; return whether it said anything."""
    said = False
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        data = b"" if woken in ready else os.read(0, 1 << 16)
        if not data:
            return said
        said = True
        write_all(target, data)


def write_all(target, data):
    while data:
        data = data[os.write(target, data) :]


def leave():
    message = {
        "seq": 2000000011,
        "type": "request",
        "command": "disconnect",
        "arguments": {"terminateDebuggee": False},
    }
    body = json.dumps(message).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
