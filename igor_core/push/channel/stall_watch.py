"""Whether a receiver does what it is asked for, and not only echoes heartbeats."""

import asyncio
import time
from collections.abc import Callable

# How often a receiver with unanswered requests is checked.
CHECK_SECONDS = 10.0
# A receiver answers a request before it echoes a later heartbeat; during long work it says that it
# is still at it, even between two pieces of one large file.
STUCK_SECONDS = 60.0
# A part of an answer, a thousand files, never takes longer than this.
LONGEST_SECONDS = 3600.0


class StallWatch:
    """Calls `give_up` with the reason when a receiver owes an answer and makes no progress.

    `is_owed` tells whether an answer is due; None: no request is open, and the watch stops.
    """

    def __init__(self, is_owed: Callable[[], bool | None], give_up: Callable[[str], None]) -> None:
        self._is_owed = is_owed
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self._answered_at = self._worked_at = 0.0
        self._answered = True

    def start(self) -> None:
        """Watch from now on, if the watch does not run already."""
        if self._timer is None:
            self._answered_at = self._worked_at = time.monotonic()
            self._answered = True
            self._schedule()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def note_answer(self) -> None:
        """The receiver has answered something. Called for each answer, so it only takes note."""
        self._answered = True

    def note_work(self) -> None:
        """The receiver says that it is still at work."""
        self._worked_at = time.monotonic()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        self._timer = None
        owed = self._is_owed()
        if owed is None:
            return
        stalled = self._stalled(owed=owed)
        if stalled:
            self._give_up(stalled)
        else:
            self._schedule()

    def _stalled(self, *, owed: bool) -> str:
        """Why the receiver is given up; empty if it is not."""
        now = time.monotonic()
        if self._answered or not owed:
            self._answered = False
            self._answered_at = self._worked_at = now
        if now - self._worked_at > STUCK_SECONDS:
            return f"it echoes heartbeats, but has answered nothing else for {STUCK_SECONDS:.0f} s"
        if now - self._answered_at > LONGEST_SECONDS:
            return f"it has worked on one answer for {LONGEST_SECONDS / 3600:.0f} h"
        return ""
