"""Whether a receiver does what it is asked for, and not only echoes heartbeats."""

import time

# It does what it is asked for before it echoes a later heartbeat, and of what takes long it says
# that it goes on, even between two pieces of one large file.
STUCK_SECONDS = 60.0
# Nothing that goes on takes longer without a part of its answer: a thousand files are a part.
LONGEST_SECONDS = 3600.0


class Progress:
    """Remembers when the receiver last came on."""

    def __init__(self) -> None:
        self._moved = self._worked = time.monotonic()
        self._news = True

    def moves(self) -> None:
        """It has answered something. Called for each answer, so it only takes note."""
        self._news = True

    def works(self) -> None:
        """It says that it goes on."""
        self._worked = time.monotonic()

    def stuck(self, owes: bool) -> str:
        """Why it does not do its part, else nothing; `owes`: whether an answer is due."""
        now = time.monotonic()
        if self._news or not owes:
            self._news = False
            self._moved = self._worked = now
        if now - self._worked > STUCK_SECONDS:
            return f"it echoes heartbeats, and answers nothing else for {STUCK_SECONDS:.0f} s"
        if now - self._moved > LONGEST_SECONDS:
            return f"it has worked on one answer for {LONGEST_SECONDS / 3600:.0f} h"
        return ""
