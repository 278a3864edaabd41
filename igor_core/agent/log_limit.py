"""The agent's log, kept short: what the same line of igor says again and again is left out."""

import logging
import time

# So often in so many seconds each line of the sources may say something.
OFTEN = 20
SECONDS = 60.0


class LogLimit(logging.Filter):
    """Lets the first records of each line of the sources through, then counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """The first record after some were left out says how many."""
        line = (record.pathname, record.lineno)
        began, count = self._seen.get(line, (0.0, 0))
        if time.monotonic() - began > SECONDS:
            if count > OFTEN:
                record.msg = f"({count - OFTEN} like this were left out) {record.msg}"
            began, count = time.monotonic(), 0
        self._seen[line] = began, count + 1
        if count == OFTEN - 1:
            record.msg = f"{record.msg} (more like this within {SECONDS:.0f} s is left out)"
        return count < OFTEN
