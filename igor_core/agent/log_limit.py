"""Keep the agent's log short: leave out repeated records from the same line of the source."""

import logging
import time

# How many records each line of the source may log in this many seconds.
OFTEN = 20
SECONDS = 60.0


class LogLimit(logging.Filter):
    """Lets the first records of each line of the source through, then counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a record through or count it; the next one that passes tells the count."""
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
