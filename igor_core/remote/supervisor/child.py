"""A process that the supervisor owns: how it is started, fed and ended. Runs on hosts (3.6)."""

import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
import time

from igor_core.remote.supervisor.announcement import Announcement

GRACE_SECONDS = 3.0
# How long an engine may take to start what is to be ended.
ANNOUNCE_SECONDS = 10.0
# What may be sent before the reader grants more, and what is read at once.
WINDOW_BYTES = 2 << 20
CHUNK = 1 << 16


def strays(leader):
    """The processes of the session that `leader` leads which have groups of their own.

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


class Child:
    """A process, the ends of its pipes or its pty, and what flows through them.

    `outputs` maps descriptors to "stdout" or "stderr"; `wake` is called, from any thread, when
    there is news. Raises OSError, ValueError, SubprocessError when it can't be started.
    """

    def __init__(self, ident, order, wake):
        self.ident = ident
        self.wake = wake
        self.end_command = order["end"]
        self.announced = threading.Event()
        self.announcement = Announcement() if order["announce"] else None
        self.credit = WINDOW_BYTES
        self.input = bytearray()
        self.input_closed = False
        # Written, and not yet told to be.
        self.used = 0
        self.ended = ""
        self.ending = False
        self.being_ended = False
        # How much of each output is still to be read once the program has ended.
        self.left = None
        self.pty = order["pty"]
        # As bytes: the locale of the host has no say in what a name is.
        argv = [to_bytes(word) for word in order["argv"]]
        cwd = to_bytes(order["cwd"]) or None
        environment = dict(os.environb)
        if self.pty:
            environment.setdefault(b"TERM", b"xterm-256color")
        environment.update((to_bytes(name), to_bytes(order["env"][name])) for name in order["env"])
        if self.pty:
            self._start_on_pty(argv, environment, cwd)
        else:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                argv,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                cwd=cwd,
                env=environment,
                start_new_session=True,
                bufsize=0,
            )
            self.stdin = self.process.stdin.fileno()
            self.outputs = {
                self.process.stdout.fileno(): "stdout",
                self.process.stderr.fileno(): "stderr",
            }
        for descriptor in [self.stdin] + list(self.outputs):
            os.set_blocking(descriptor, False)

    def close(self):
        """Close what is still open of it."""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        if self.pty:
            os.close(self.stdin)

    @property
    def status(self):
        """Exit status, 128 + n for signal n."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def _start_on_pty(self, argv, environment, cwd):
        master, slave = os.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        try:
            self.resize(*self.pty, descriptor=slave)
            if self.announcement:
                pass_through(slave)
            self.process = subprocess.Popen(
                argv,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=cwd,
                env=environment,
                preexec_fn=take_terminal,
            )
        except Exception:
            os.close(master)
            raise
        finally:
            os.close(slave)
        self.stdin = master
        self.outputs = {master: "stdout"}

    def resize(self, columns, rows, descriptor=None):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.stdin if descriptor is None else descriptor, termios.TIOCSWINSZ, size)

    def without_announcement(self, data):
        """The output without the line that announces the pid."""
        data = self.announcement.feed(data)
        if self.announcement.pid:
            self.announced.set()
        return data

    def drain(self):
        """Note how much the program that has just ended left to be read.

        What it started in the background may hold the same pipes, and write for ever.
        """
        self.left = dict.fromkeys(self.outputs, CHUNK)
        if not self.pty:
            for descriptor in self.outputs:
                waiting = fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4)
                self.left[descriptor] = struct.unpack("i", waiting)[0]

    def signal(self, number):
        """To the process group of the child; a terminal's keys travel as data instead."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def end(self):
        """End it for good, in a thread of its own: the others go on meanwhile."""
        if not self.ending:
            self.ending = self.being_ended = True
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self):
        try:
            if self.end_command and self.announced.wait(ANNOUNCE_SECONDS):
                self.ended = self._end_inside()
            if not (self.ended and self._is_gone()):
                self._end_here()
        finally:
            self.being_ended = False
            self.wake()

    def _end_here(self):
        # Whoever sits at a terminal takes INT for a key.
        for name in ("HUP" if self.pty else "INT", "TERM", "KILL"):
            number = getattr(signal, "SIG" + name)
            self.signal(number)
            for pid in strays(self.process.pid):
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    pass
            if self._is_gone():
                self.ended = self.ended or name
                return

    def _end_inside(self):
        """Run the end command; which signal it says it took."""
        command = [word.replace("{pid}", self.announcement.pid) for word in self.end_command]
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

    def _is_gone(self):
        """Wait for the end of the group, then of whatever else is in its session."""
        deadline = time.monotonic() + GRACE_SECONDS
        pause = 0.02
        while time.monotonic() < deadline:
            if not self._group_lives():
                if not strays(self.process.pid):
                    return True
                pause = 0.1
            time.sleep(pause)
        return False

    def _group_lives(self):
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def pass_through(terminal):
    """Keys typed before an engine's client makes its terminal raw must wait for the one within."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
    settings[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")
