"""The terminal while a program on a host uses it: keys are passed on as they are typed."""

import os
import signal
import termios
from types import FrameType
from typing import Any

from igor_core.cli.outlet import STDERR, STDOUT
from igor_core.cli.screen_modes import SOFT_RESET, ScreenModes
from igor_core.cli.stdin import STDIN

# The size of a terminal that does not know its own (a serial line, a test).
USUAL_SIZE = (80, 24)


def terminal_size() -> tuple[int, int]:
    """Return columns and rows, neither of them 0."""
    try:
        found = os.get_terminal_size(STDOUT)
    except OSError:
        return USUAL_SIZE
    return found.columns or USUAL_SIZE[0], found.lines or USUAL_SIZE[1]


class RawTerminal:
    """The terminal, raw between `enter` and `leave`; as a context, always restored at the end.

    While it is raw, a change of its size wakes a select on the signals' wake-up descriptor, SIGTSTP
    has no effect (ctrl-z is a key) and SIGHUP raises KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.modes = ScreenModes()
        self._before: list[Any] | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "RawTerminal":
        return self

    def __exit__(self, *_error: object) -> None:
        if self.is_raw:
            self.leave(abnormal=True)

    @property
    def is_raw(self) -> bool:
        return self._before is not None

    def enter(self) -> None:
        self._before = termios.tcgetattr(STDIN)
        self._make_raw()
        handlers: dict[int, Any] = {
            signal.SIGWINCH: _wake,
            signal.SIGCONT: self._continued,
            signal.SIGTSTP: signal.SIG_IGN,
            signal.SIGHUP: _leave,
        }
        self._handlers = {number: signal.signal(number, do) for number, do in handlers.items()}

    def leave(self, *, abnormal: bool = False) -> None:
        """Restore the terminal; `abnormal`: the program could not clean up after itself."""
        before, self._before = self._before, None
        if before is None:
            return
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        undo = self.modes.undo() + (SOFT_RESET if abnormal else b"")
        try:
            os.write(STDOUT, undo)
        finally:
            # Keys typed for the program must not run in a shell afterwards.
            when = termios.TCSAFLUSH if abnormal else termios.TCSADRAIN
            termios.tcsetattr(STDIN, when, before)

    def shows(self, data: bytes) -> int:
        """Follow the terminal's output, so that its modes can be switched off; see `feed`."""
        return self.modes.feed(data)

    def _make_raw(self) -> None:
        """Make the terminal raw, as cfmakeraw(3) does."""
        raw = termios.tcgetattr(STDIN)
        raw[0] &= ~(
            termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP
            | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
        )  # fmt: skip
        raw[1] &= ~termios.OPOST
        raw[2] = raw[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        raw[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        termios.tcsetattr(STDIN, termios.TCSADRAIN, raw)

    def _continued(self, _number: int, _frame: FrameType | None) -> None:
        """Set the terminal up again after SIGSTOP, since the shell has changed it meanwhile."""
        if self.is_raw:
            self._make_raw()


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the signal's number in the wake-up descriptor is enough."""


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def key(question: str) -> bytes:
    """Read one key as an answer, without echo or Return: its first byte, nothing at end of input.

    ctrl-c interrupts. Keys typed before the question are dropped: they were not meant for it.
    """
    before = termios.tcgetattr(STDIN)
    single = termios.tcgetattr(STDIN)
    single[3] &= ~(termios.ECHO | termios.ICANON)
    single[6][termios.VMIN], single[6][termios.VTIME] = 1, 0
    termios.tcsetattr(STDIN, termios.TCSAFLUSH, single)
    try:
        os.write(STDERR, question.encode(errors="backslashreplace"))
        return os.read(STDIN, 64)[:1]
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)
