"""A process that the supervisor owns: started, fed, read and killed. Runs on hosts (3.6+)."""

import fcntl
import os
import struct
import subprocess
import termios
import threading

from igor_core.remote.supervisor.announcement import Announcement
from igor_core.remote.supervisor.frames import WINDOW_BYTES
from igor_core.remote.supervisor.kill import is_gone, kill_session, run_end_command, signal_group

# How long an engine may take to start what is to be killed.
ANNOUNCE_SECONDS = 10.0
CHUNK = 1 << 16


class Child:
    """A process, the ends of its pipes or its pty, and what flows through them.

    `outputs` maps descriptors to "stdout" or "stderr". `wake` is called, from any thread, when
    the process has been killed. Raises OSError, ValueError, SubprocessError if it can't be started.
    """

    def __init__(self, ident, order, wake):
        self.ident = ident
        self.wake = wake
        self.pty = order["pty"]
        self.end_command = order["end"]
        self.announcement = Announcement() if order["announce"] else None
        self.announced = threading.Event()
        self.credit = WINDOW_BYTES
        self.input = bytearray()
        self.input_closed = False
        # Bytes written to the process that the agent has not been granted again.
        self.used = 0
        # The signal that ended it, when it was killed.
        self.ended = ""
        self.kill_asked = False
        self.being_killed = False
        # After the program's exit: how much of each output is still to be read.
        self.left = None
        self._start(order)
        for descriptor in [self.stdin] + list(self.outputs):
            os.set_blocking(descriptor, False)

    def _start(self, order):
        # As bytes: the host's locale has no say in what a name is.
        argv = [to_bytes(word) for word in order["argv"]]
        cwd = to_bytes(order["cwd"]) or None
        env = dict(os.environb)
        if self.pty:
            env.setdefault(b"TERM", b"xterm-256color")
        env.update((to_bytes(name), to_bytes(order["env"][name])) for name in order["env"])
        if self.pty:
            self._start_on_pty(argv, env, cwd)
        else:
            self._start_on_pipes(argv, env, cwd)

    def _start_on_pipes(self, argv, env, cwd):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, env=env,
            start_new_session=True, bufsize=0,
        )  # fmt: skip
        self.stdin = self.process.stdin.fileno()
        self.outputs = {
            self.process.stdout.fileno(): "stdout",
            self.process.stderr.fileno(): "stderr",
        }

    def _start_on_pty(self, argv, env, cwd):
        master, slave = os.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        try:
            self.resize(*self.pty, descriptor=slave)
            if self.announcement:
                pass_through(slave)
            self.process = subprocess.Popen(
                argv, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env,
                preexec_fn=take_terminal,
            )  # fmt: skip
        except Exception:
            os.close(master)
            raise
        finally:
            os.close(slave)
        self.stdin = master
        self.outputs = {master: "stdout"}

    def close(self):
        """Close the descriptors that are still open."""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        if self.pty:
            os.close(self.stdin)

    @property
    def status(self):
        """The exit status, 128 + n for signal n."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def resize(self, columns, rows, descriptor=None):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.stdin if descriptor is None else descriptor, termios.TIOCSWINSZ, size)

    def signal(self, number):
        """Signal the process group; a terminal's keys travel as data instead."""
        signal_group(self.process.pid, number)

    def write_input(self):
        """Write what the process takes now; drop the rest if it no longer reads."""
        while self.input:
            try:
                count = os.write(self.stdin, bytes(self.input[:CHUNK]))
            except BlockingIOError:
                break
            except OSError:
                # The program closed its input or died.
                count = len(self.input)
            del self.input[:count]
            self.used += count

    def readable(self, descriptor):
        """Return how many bytes of an output may be read now."""
        most = max(0, min(CHUNK, self.credit))
        return most if self.left is None else min(most, self.left[descriptor])

    def without_announcement(self, data):
        """Take the line that announces the process group out of the output."""
        data = self.announcement.feed(data)
        if self.announcement.pid:
            self.announced.set()
        return data

    def note_what_is_left(self):
        """Note how much the program, which has just ended, left to be read.

        What it started in the background may hold the same pipes, and write for ever.
        """
        self.left = dict.fromkeys(self.outputs, CHUNK)
        if not self.pty:
            for descriptor in self.outputs:
                waiting = fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4)
                self.left[descriptor] = struct.unpack("i", waiting)[0]

    def kill(self):
        """Kill it for good, in a thread of its own: the others go on meanwhile."""
        if not self.kill_asked:
            self.kill_asked = self.being_killed = True
            threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self):
        """First inside the container, if it runs in one, then on the host."""
        leader = self.process.pid
        try:
            if self.end_command and self.announced.wait(ANNOUNCE_SECONDS):
                pid = self.announcement.pid
                self.ended = run_end_command([w.replace("{pid}", pid) for w in self.end_command])
            if not (self.ended and is_gone(leader)):
                # At a terminal, INT would be a key for the program.
                name = kill_session(leader, "HUP" if self.pty else "INT")
                self.ended = self.ended or name
        finally:
            self.being_killed = False
            self.wake()


def pass_through(terminal):
    """Keep the keys typed before an engine's client makes its terminal raw for the inner one."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
    settings[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")
