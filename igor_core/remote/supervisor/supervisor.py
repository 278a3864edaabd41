"""The supervisor: runs on the host, owns the programs that igor starts there, and kills them when
the connection to igor is cut.

Standard-library Python 3.6+, sent over the wire to `python3` on the host; nothing is installed.
One ssh session carries all processes, so a host sees few sessions and a short command costs one
round trip. The frames are in frames.py.

sshd notices a cut cable only after minutes, and killing ssh or a docker client never kills the
process in the container. So the supervisor expects a heartbeat; without one, or at the end of its
input, it kills every process that it owns (`kill_all`).

A process has ended when the program itself has: what it left in the background lives on, as after
any shell, unless the agent had it killed. Killing reaches the program's whole session; a process
with a session of its own (setsid, a daemon) is meant to stay. If the supervisor itself is killed,
nothing else is: its children lose their terminal (SIGHUP) or their pipes.
"""

import json
import os
import pwd
import selectors
import signal
import struct
import subprocess
import sys
import time

from igor_core.remote.frames import BEAT, HEADER, READY, SILENCE_SECONDS
from igor_core.remote.supervisor import frames
from igor_core.remote.supervisor.child import CHUNK, Child

OUTPUTS = {"stdout": frames.STDOUT, "stderr": frames.STDERR}
# The most characters of an error: the file it names may be as long as a command line.
MOST_ERROR = 1000


class Supervisor:
    """The loop: frames in, output out; one thread, and one more for each child being killed."""

    def __init__(self):
        self.woken, self.waker = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.processes = {}
        self.inbox = bytearray()
        self.outbox = bytearray(frames.MAGIC)
        self.heard = time.monotonic()
        self.open = True
        self.watched = {}
        for descriptor in (0, 1, self.woken, self.waker):
            os.set_blocking(descriptor, False)

    def run(self):
        self.send_json(
            READY,
            0,
            {
                "pid": os.getpid(),
                "python": list(sys.version_info[:3]),
                "uid": os.getuid(),
                "gid": os.getgid(),
                "user": user_name(),
                "home": os.path.expanduser("~"),
            },
        )
        while self.open or self.processes:
            self.watch()
            for key, mask in self.selector.select(1.0):
                self.handle(key.fd, mask)
            self.reap()
            if time.monotonic() - self.heard > SILENCE_SECONDS:
                self.kill_all()

    def wake(self, *_ignored):
        try:
            os.write(self.waker, b"\0")
        except BlockingIOError:
            pass

    def kill_all(self, *_ignored):
        """Kill all processes, since the connection is cut; `run` returns when they are gone."""
        self.open = False
        self.outbox.clear()
        for process in self.processes.values():
            process.kill()

    def watch(self):
        """Select exactly the descriptors that can be used now."""
        wanted = {self.woken: selectors.EVENT_READ}
        if self.open:
            wanted[0] = selectors.EVENT_READ
            if self.outbox:
                wanted[1] = selectors.EVENT_WRITE
        room = len(self.outbox) < frames.WINDOW_BYTES
        for process in self.processes.values():
            for descriptor in process.outputs:
                if not self.open or (room and process.credit > 0):
                    wanted[descriptor] = selectors.EVENT_READ
            if process.input and process.stdin is not None:
                wanted[process.stdin] = wanted.get(process.stdin, 0) | selectors.EVENT_WRITE
        for descriptor in set(self.watched) - set(wanted):
            self.selector.unregister(descriptor)
        for descriptor, mask in wanted.items():
            if descriptor not in self.watched:
                self.selector.register(descriptor, mask)
            elif self.watched[descriptor] != mask:
                self.selector.modify(descriptor, mask)
        self.watched = wanted

    def handle(self, descriptor, mask):
        if descriptor == 0:
            self.read_frames()
        elif descriptor == 1:
            self.flush()
        elif descriptor == self.woken:
            os.read(descriptor, CHUNK)
        else:
            for process in list(self.processes.values()):
                if mask & selectors.EVENT_READ and descriptor in process.outputs:
                    self.read_output(process, descriptor)
                if mask & selectors.EVENT_WRITE and descriptor == process.stdin:
                    self.write_input(process)

    def read_frames(self):
        try:
            data = os.read(0, 1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.kill_all()
            return
        self.inbox += data
        self.take_frames()

    def take_frames(self):
        self.heard = time.monotonic()
        at = 0
        while len(self.inbox) - at >= HEADER.size:
            kind, ident, length = HEADER.unpack_from(self.inbox, at)
            if len(self.inbox) - at - HEADER.size < length:
                break
            at += HEADER.size + length
            self.take(kind, ident, bytes(self.inbox[at - length : at]))
        del self.inbox[:at]

    def take(self, kind, ident, payload):
        process = self.processes.get(ident)
        if kind == BEAT:
            self.send(BEAT, 0, payload)
        elif kind == frames.START:
            self.start(ident, json.loads(payload.decode("ascii")))
        elif process is None:
            return
        elif kind == frames.DATA:
            process.input += payload
            self.write_input(process)
        elif kind == frames.EOF:
            process.input_closed = True
            self.write_input(process)
        elif kind == frames.WINDOW and process.pty:
            process.resize(*struct.unpack(">HH", payload))
        elif kind == frames.SIGNAL:
            process.signal(getattr(signal, "SIG" + payload.decode("ascii"), 0))
        elif kind == frames.CREDIT:
            process.credit += struct.unpack(">I", payload)[0]
        elif kind == frames.END:
            process.kill()

    def start(self, ident, order):
        try:
            self.processes[ident] = Child(ident, order, self.wake)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
            status = 127 if isinstance(error, FileNotFoundError) else 126
            reason = getattr(error, "strerror", None) or str(error)
            what = getattr(error, "filename", None) or " ".join(order["argv"][:1])
            said = ("%s: %s" % (os.fsdecode(what), reason))[:MOST_ERROR]
            self.send_json(frames.EXIT, ident, {"status": status, "ended": "", "error": said})

    def write_input(self, process):
        if process.stdin is None:
            process.input.clear()
            return
        process.write_input()
        if process.used >= CHUNK:
            self.send(frames.CREDIT, process.ident, struct.pack(">I", process.used))
            process.used = 0
        if process.input_closed and not process.input and not process.pty:
            self.unwatch(process.stdin)
            process.process.stdin.close()
            process.stdin = None

    def read_output(self, process, descriptor):
        """Pass on one chunk; return whether there may be more."""
        data, at_end = read_up_to(descriptor, self.readable(process, descriptor))
        kind = OUTPUTS[process.outputs[descriptor]]
        if at_end:
            del process.outputs[descriptor]
        elif process.left is not None:
            process.left[descriptor] -= len(data)
        is_more = bool(data) and not at_end
        if process.announcement and kind == frames.STDOUT:
            data = process.without_announcement(data)
        if data and self.open:
            process.credit -= len(data)
            self.send(kind, process.ident, data)
        return is_more

    def readable(self, process, descriptor):
        """Return how much of an output may be read now; without a connection it is all dropped."""
        if not self.open:
            process.credit = frames.WINDOW_BYTES
        return process.readable(descriptor)

    def reap(self):
        """Report the processes that have ended, after the last of their output."""
        for process in list(self.processes.values()):
            if process.process.poll() is None or process.being_killed:
                continue
            if process.left is None:
                process.note_what_is_left()
            for descriptor in list(process.outputs):
                while self.readable(process, descriptor) and self.read_output(process, descriptor):
                    pass
            waiting = any(process.left[descriptor] for descriptor in process.outputs)
            if waiting and self.open and process.credit <= 0:
                continue
            self.forget(process)

    def forget(self, process):
        del self.processes[process.ident]
        for descriptor in [process.stdin] + list(process.outputs):
            self.unwatch(descriptor)
        process.close()
        held = process.announcement.rest() if process.announcement else b""
        if held:
            self.send(frames.STDOUT, process.ident, held)
        how = {"status": process.status, "ended": process.ended, "error": ""}
        self.send_json(frames.EXIT, process.ident, how)

    def unwatch(self, descriptor):
        if self.watched.pop(descriptor, None) is not None:
            self.selector.unregister(descriptor)

    def send_json(self, kind, ident, value):
        self.send(kind, ident, json.dumps(value).encode("ascii"))

    def send(self, kind, ident, payload):
        if self.open:
            self.outbox += HEADER.pack(kind, ident, len(payload)) + payload
            self.flush()

    def flush(self):
        try:
            while self.outbox:
                del self.outbox[: os.write(1, bytes(self.outbox[:CHUNK]))]
        except BlockingIOError:
            pass
        except OSError:
            self.kill_all()


def read_up_to(descriptor, most):
    """Return the bytes that can be read now, and whether the end was reached.

    Joins reads: a terminal returns at most 4 kB at once, which would be many small frames.
    """
    parts = []
    while most > 0:
        try:
            data = os.read(descriptor, most)
        except BlockingIOError:
            break
        except OSError:
            # EIO: all ends of the pty's other side are closed.
            data = b""
        if not data:
            return b"".join(parts), True
        parts.append(data)
        most -= len(data)
    return b"".join(parts), False


def user_name():
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER") or str(os.getuid())


def main():
    supervisor = Supervisor()
    signal.signal(signal.SIGCHLD, supervisor.wake)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # The children must be killed before the supervisor ends.
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(name, supervisor.kill_all)
    supervisor.run()
