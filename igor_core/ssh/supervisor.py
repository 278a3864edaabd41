"""The supervisor: runs on the host, owns what igor starts there and ends it when igor is gone.

Standard-library Python 3.6+, sent over the wire to `python3` on the host; nothing is installed.
One ssh session carries all processes, so a host sees few sessions and a short command costs
one round trip. sshd notices a cut cable only after minutes, and killing ssh or a docker client
never kills the process in the container: so the supervisor expects a heartbeat and, without
one or at the end of its input, ends every process group that it owns.

Frames, both ways: kind (8 bits), process (32), length of the payload (32), big-endian.

    kind         from   payload
    START    1   agent  JSON: argv, cwd, env, pty ([columns, rows] or null), announce, end
    DATA     2   agent  bytes for the standard input
    EOF      3   agent
    WINDOW   4   agent  columns, rows (16 bits each)
    SIGNAL   5   agent  the signal's name, without SIG
    CREDIT   6   both   bytes that may be sent from now on (32 bits)
    END      7   agent  end it: INT, then TERM, then KILL
    BEAT     8   both   an echo of the payload
    READY   16   host   JSON: pid, python, uid, gid, user, home
    STDOUT  17   host   bytes
    STDERR  18   host   bytes
    EXIT    19   host   JSON: status (128 + n for signal n), ended (how END did it), error

`announce`: the program's first line of output is "\\x1eigor-pid:N\\n", the number of its process
group inside the container; it is taken out of the output and put in place of "{pid}" in `end`,
the command that ends that group (the last word of its output says which signal did it).
"""

import fcntl
import json
import os
import pwd
import selectors
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

START, DATA, EOF, WINDOW, SIGNAL, CREDIT, END, BEAT = range(1, 9)
READY, STDOUT, STDERR, EXIT = range(16, 20)

HEADER = struct.Struct(">BII")
MAGIC = b"\0igor-supervisor-1\n"
WINDOW_BYTES = 2 << 20
CHUNK = 1 << 16
SILENCE_SECONDS = 30
GRACE_SECONDS = 3.0
ANNOUNCE = b"\x1eigor-pid:"


class Process:
    """A child, the ends of its pipes or its pty, and what flows through them."""

    def __init__(self, ident, order):
        self.ident = ident
        self.end_command = order["end"]
        self.announced = threading.Event()
        self.announcing = bool(order["announce"])
        self.head = b""
        self.inner_pid = ""
        self.credit = WINDOW_BYTES
        self.input = bytearray()
        self.input_closed = False
        self.ended = ""
        self.ending = False
        self.being_ended = False
        self.pty = order["pty"]
        environment = dict(os.environ, **order["env"])
        cwd = order["cwd"] or None
        if self.pty:
            self._start_on_pty(order["argv"], environment, cwd)
        else:
            pipe = subprocess.PIPE
            self.child = subprocess.Popen(
                order["argv"],
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                cwd=cwd,
                env=environment,
                start_new_session=True,
                bufsize=0,
            )
            self.stdin = self.child.stdin.fileno()
            self.outputs = {self.child.stdout.fileno(): STDOUT, self.child.stderr.fileno(): STDERR}
        for descriptor in [self.stdin] + list(self.outputs):
            os.set_blocking(descriptor, False)

    def _start_on_pty(self, argv, environment, cwd):
        master, slave = os.openpty()
        self.resize(*self.pty, descriptor=slave)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        try:
            self.child = subprocess.Popen(
                argv,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=cwd,
                env=environment,
                preexec_fn=take_terminal,
            )
        finally:
            os.close(slave)
        self.stdin = master
        self.outputs = {master: STDOUT}

    def resize(self, columns, rows, descriptor=None):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.stdin if descriptor is None else descriptor, termios.TIOCSWINSZ, size)

    def strip_announcement(self, data):
        """The output without the line that announces the pid; empty while that is incomplete."""
        self.head += data
        line, newline, rest = self.head.partition(b"\n")
        if not newline and ANNOUNCE.startswith(line[: len(ANNOUNCE)]) and len(line) < 64:
            return b""
        self.announcing = False
        if not line.startswith(ANNOUNCE):
            return self.head
        self.inner_pid = line[len(ANNOUNCE) :].strip().decode("ascii", "replace")
        self.announced.set()
        return rest

    def signal(self, number):
        """To the process group of the child; a terminal's keys travel as data instead."""
        try:
            os.killpg(self.child.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def end(self):
        """End it for good, in a thread of its own: the others go on meanwhile."""
        if not self.ending:
            self.ending = self.being_ended = True
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self):
        if self.end_command and self.announced.wait(GRACE_SECONDS):
            self.ended = self._end_inside()
            if self._group_is_gone():
                return self._end_is_over()
        for name in ("INT", "TERM", "KILL"):
            self.signal(getattr(signal, "SIG" + name))
            if self._group_is_gone():
                self.ended = self.ended or name
                break
        return self._end_is_over()

    def _end_is_over(self):
        self.being_ended = False
        wake()

    def _end_inside(self):
        """Run the end command; which signal it says it took."""
        command = [word.replace("{pid}", self.inner_pid) for word in self.end_command]
        try:
            said = (
                subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    timeout=4 * GRACE_SECONDS,
                )
                .stdout.decode("utf-8", "replace")
                .split()
            )
        except (OSError, subprocess.TimeoutExpired):
            said = []
        return said[-1] if said else ""

    def _group_is_gone(self):
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            try:
                os.killpg(self.child.pid, 0)
            except (ProcessLookupError, PermissionError):
                return True
            time.sleep(0.02)
        return False


class Supervisor:
    """The loop: frames in, children's output out, one thread but for what is being ended."""

    def __init__(self, first):
        self.selector = selectors.DefaultSelector()
        self.processes = {}
        self.inbox = bytearray(first)
        self.outbox = bytearray(MAGIC)
        self.heard = time.monotonic()
        self.open = True
        self.watched = {}
        for descriptor in (0, 1, WAKE[0]):
            os.set_blocking(descriptor, False)

    def run(self):
        user = pwd.getpwuid(os.getuid())
        self.send_json(
            READY,
            0,
            {
                "pid": os.getpid(),
                "python": list(sys.version_info[:3]),
                "uid": os.getuid(),
                "gid": os.getgid(),
                "user": user.pw_name,
                "home": user.pw_dir,
            },
        )
        self.take_frames()
        while self.open or self.processes:
            self.watch()
            for key, mask in self.selector.select(1.0):
                self.handle(key.fd, mask)
            self.reap()
            if time.monotonic() - self.heard > SILENCE_SECONDS:
                self.abandon()

    def abandon(self):
        """Nobody hears us any more: end what we own, then leave."""
        self.open = False
        self.outbox.clear()
        for process in self.processes.values():
            process.end()

    def watch(self):
        """Ask the selector for exactly what can be used now."""
        wanted = {WAKE[0]: selectors.EVENT_READ}
        if self.open:
            wanted[0] = selectors.EVENT_READ
            if self.outbox:
                wanted[1] = selectors.EVENT_WRITE
        room = len(self.outbox) < WINDOW_BYTES
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
        elif descriptor == WAKE[0]:
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
            self.abandon()
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
            self.obey(kind, ident, bytes(self.inbox[at - length : at]))
        del self.inbox[:at]

    def obey(self, kind, ident, payload):
        process = self.processes.get(ident)
        if kind == BEAT:
            self.send(BEAT, 0, payload)
        elif kind == START:
            self.start(ident, json.loads(payload.decode("ascii")))
        elif process is None:
            return
        elif kind == DATA:
            process.input += payload
            self.write_input(process)
        elif kind == EOF:
            process.input_closed = True
            self.write_input(process)
        elif kind == WINDOW and process.pty:
            process.resize(*struct.unpack(">HH", payload))
        elif kind == SIGNAL:
            process.signal(getattr(signal, "SIG" + payload.decode("ascii")))
        elif kind == CREDIT:
            process.credit += struct.unpack(">I", payload)[0]
        elif kind == END:
            process.end()

    def start(self, ident, order):
        try:
            self.processes[ident] = Process(ident, order)
        except (OSError, ValueError) as error:
            status = 127 if isinstance(error, FileNotFoundError) else 126
            reason = getattr(error, "strerror", None) or str(error)
            what = getattr(error, "filename", None) or order["argv"][0]
            said = "%s: %s" % (os.fsdecode(what), reason)
            self.send_json(EXIT, ident, {"status": status, "ended": "", "error": said})

    def write_input(self, process):
        if process.stdin is None:
            process.input.clear()
            return
        while process.input:
            try:
                count = os.write(process.stdin, bytes(process.input[:CHUNK]))
            except BlockingIOError:
                return
            except OSError:
                # The program closed its input or died; what it does not want is used up.
                count = len(process.input)
            del process.input[:count]
            self.send(CREDIT, process.ident, struct.pack(">I", count))
        if process.input_closed and not process.pty:
            self.unwatch(process.stdin)
            process.child.stdin.close()
            process.stdin = None

    def read_output(self, process, descriptor):
        """One chunk. True while there may be more."""
        try:
            data = os.read(descriptor, max(1, min(CHUNK, process.credit)))
        except BlockingIOError:
            return False
        except OSError:
            # EIO: all ends of the pty's other side are closed.
            data = b""
        if not data:
            del process.outputs[descriptor]
            return False
        kind = process.outputs[descriptor]
        if process.announcing and kind == STDOUT:
            data = process.strip_announcement(data)
        if data and self.open:
            process.credit -= len(data)
            self.send(kind, process.ident, data)
        return True

    def reap(self):
        """Tell of those that have ended, after the last of what they had written."""
        for process in list(self.processes.values()):
            if process.child.poll() is None or process.being_ended:
                continue
            for descriptor in list(process.outputs):
                while (not self.open or process.credit > 0) and self.read_output(
                    process, descriptor
                ):
                    pass
            if process.outputs and process.credit <= 0 and self.open:
                continue
            self.forget(process)

    def forget(self, process):
        del self.processes[process.ident]
        for stream in (process.child.stdin, process.child.stdout, process.child.stderr):
            if stream is not None:
                self.unwatch(stream.fileno() if not stream.closed else None)
                stream.close()
        if process.pty:
            self.unwatch(process.stdin)
            os.close(process.stdin)
        if process.announcing and process.head:
            self.send(STDOUT, process.ident, process.head)
        code = process.child.returncode
        status = code if code >= 0 else 128 - code
        self.send_json(EXIT, process.ident, {"status": status, "ended": process.ended, "error": ""})

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
            self.abandon()


def wake(*_ignored):
    try:
        os.write(WAKE[1], b"\0")
    except BlockingIOError:
        pass


def main():
    global WAKE
    WAKE = os.pipe()
    os.set_blocking(WAKE[1], False)
    signal.signal(signal.SIGCHLD, wake)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # SIGHUP, TERM, INT: what we own must be ended first; our input ends as well then.
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: supervisor.abandon())
    # What came along with this source is already in the buffer; the agent sends at least a BEAT.
    supervisor = Supervisor(sys.stdin.buffer.read1(1 << 16))
    supervisor.run()


if __name__ == "__main__":
    main()
