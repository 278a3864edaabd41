"""ctrl-c and other ending signals: the first asks the job to end, the second quits at once."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any

# Not SIGHUP: closing the terminal is no request to end a push, and `exec` ends by itself.
ENDING = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Inside this context, signals wake a select on it instead of ending the program.

    A second ending signal raises KeyboardInterrupt wherever the program is.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}
        self._reader = self._writer = -1
        self._wakeup_before = -1

    def __enter__(self) -> "Interrupts":
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in ENDING:
            # Ignored signals stay ignored: nohup, and `&` in a script.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        return self._reader

    def clear(self) -> None:
        """Forget that a signal came, so that select waits for the next."""
        try:
            os.read(self._reader, 4096)
        except BlockingIOError:
            return

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
