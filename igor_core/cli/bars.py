"""Progress on a terminal: one line per host, redrawn in place."""

import os
import time
from typing import Any

from igor_core.cli.text import printable
from igor_core.quantities import size

WIDTH = 24  # characters of the bar itself
SECONDS_BETWEEN = 0.1
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
CLEAR_DOWN = "\r\x1b[J"


class Bars:
    """The lines at the bottom of the screen, as text that draws and erases them.

    They show only while the cursor is at the start of a line, which the caller knows.
    """

    def __init__(self) -> None:
        self._progress: dict[str, dict[str, Any]] = {}
        self._drawn = 0
        self._next = 0.0
        self._stale = False

    def update(self, event: dict[str, Any]) -> None:
        """Take a progress event; a line that is complete disappears."""
        if event["total"] and event["done"] >= event["total"]:
            self.remove(event["host"])
        else:
            self._progress[event["host"]] = event
            self._stale = True

    def remove(self, host: str) -> None:
        if self._progress.pop(host, None) is not None:
            self._stale = True

    def erase(self) -> str:
        """Return the text that removes the lines from the screen, so that others can be shown."""
        if not self._drawn:
            return ""
        up = f"\x1b[{self._drawn}A"
        self._drawn, self._stale = 0, True
        return up + CLEAR_DOWN

    def draw(self) -> str:
        """Return the text that updates the lines: nothing if they are current or it is too soon."""
        now = time.monotonic()
        if not self._stale or now < self._next:
            return ""
        self._next = now + SECONDS_BETWEEN
        lines = [bar(event) for event in self._progress.values()][: rows() - 1]
        text = self.erase() + "".join(f"{NO_WRAP}{line}{WRAP}\n" for line in lines)
        self._drawn, self._stale = len(lines), False
        return text

    def seconds_to_next(self) -> float | None:
        """Return the seconds until `draw` has something, None if there is nothing to draw."""
        return max(0.0, self._next - time.monotonic()) if self._stale else None


def bar(event: dict[str, Any]) -> str:
    """Return `apollo  push  [######      ]  25%  1.2 MB of 4.8 MB  800 kB/s`."""
    done, total = event["done"], event["total"]
    cells = [event["host"], event["label"]]
    if total:
        share = min(1.0, done / total)
        cells += [f"[{'#' * int(share * WIDTH):{WIDTH}}]", f"{int(share * 100):3d}%"]
    cells.append(
        _amount(done, event["unit"]) + (f" of {_amount(total, event['unit'])}" * bool(total))
    )
    if event["rate"] > 0:
        cells.append(f"{_amount(event['rate'], event['unit'])}/s")
    return printable("  ".join(filter(None, cells)))


def rows() -> int:
    """Return the terminal's height; terminals that don't know theirs report 0."""
    try:
        return max(2, os.get_terminal_size(2).lines or 24)
    except OSError:
        return 24


def _amount(count: float, unit: str) -> str:
    return size(count) if unit == "bytes" else f"{count:.0f} {unit}"
