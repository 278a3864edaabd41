"""A job's output for people: igor's own lines on stderr, program output on its own stream."""

import os
from collections.abc import Callable
from typing import Any

from igor_core.cli.bars import Bars
from igor_core.cli.outlet import STDERR, STDOUT, Outlet
from igor_core.cli.prefix import Prefixer
from igor_core.cli.style import Style, is_terminal, wants_colour
from igor_core.cli.summary import summary
from igor_core.cli.text import printable, printable_lines

STREAMS = {"stdout": STDOUT, "stderr": STDERR}


class Lines:
    """Shows events. `several` says whether output lines need their host in front."""

    def __init__(self, outlet: Outlet, several: Callable[[], bool]) -> None:
        self._outlet = outlet
        self._several = several
        self._prefixer = Prefixer()
        self._bars = Bars() if is_terminal(STDERR) else None
        self._styles = {fd: Style(wants_colour(fd)) for fd in (STDOUT, STDERR)}
        self._one_screen = os.isatty(STDOUT) and os.isatty(STDERR)
        self._line_begun = False

    def event(self, event: dict[str, Any]) -> None:
        show = getattr(self, f"_show_{event['type']}", None)
        if show is not None:  # a later agent may have more kinds of events
            show(event)

    def hide(self) -> None:
        """Move the cursor to where a question can be asked."""
        self._begin_line()

    def finished(self, verb: str, outcome: dict[str, Any]) -> None:
        """Show the remaining output, a line per host, and the requested data."""
        for host, stream, data in self._prefixer.rest():
            self._prefixed(host, stream, [data])
        self._begin_line()
        self._outlet.lines(STDERR, summary(verb, outcome, self._styles[STDERR]))
        if outcome["data"] is not None:
            from igor_core.cli.tables import lines_of

            self._outlet.lines(STDOUT, lines_of(verb, outcome["data"]))

    def tick(self) -> float | None:
        """Redraw the progress; return the seconds until the next redraw, None for never."""
        if self._bars is None or self._line_begun:
            return None
        if self._outlet.waits_for() is None:
            self._outlet.text(STDERR, self._bars.draw())
        return self._bars.seconds_to_next()

    def say(self, text: str) -> None:
        """Show one line of igor's own."""
        self._begin_line()
        self._outlet.lines(STDERR, [text])

    def _show_step(self, event: dict[str, Any]) -> None:
        if self._bars is not None:
            self._bars.remove(event["host"])
        self.say(self._with_host(event["host"], printable(event["text"])))

    def _show_warning(self, event: dict[str, Any]) -> None:
        style = self._styles[STDERR]
        first, *more = printable_lines(event["text"]) or [""]
        self.say(self._with_host(event["host"], f"{style.paint('warning', 'warning:')} {first}"))
        for line in more + printable_lines(event["hint"]):
            self.say(f"  {line}")

    def _show_progress(self, event: dict[str, Any]) -> None:
        if self._bars is not None:
            self._bars.update(event)

    def _show_result(self, event: dict[str, Any]) -> None:
        if self._bars is not None:
            self._bars.remove(event["host"])

    def _show_output(self, event: dict[str, Any]) -> None:
        host, stream, data = event["host"], event["stream"], event["data"]
        if host and self._several():
            self._prefixed(host, stream, self._prefixer.lines(host, stream, data))
        elif data:
            self._erase_bars()
            self._outlet.put(STREAMS[stream], data)
            self._line_begun = self._one_screen and not data.endswith(b"\n")

    def _prefixed(self, host: str, stream: str, lines: list[bytes]) -> None:
        self._erase_bars()
        descriptor = STREAMS[stream]
        prefix = f"{self._styles[descriptor].host(printable(host))} | ".encode()
        self._outlet.put(descriptor, b"".join(prefix + line + b"\n" for line in lines))

    def _with_host(self, host: str, text: str) -> str:
        return f"{self._styles[STDERR].host(printable(host))}: {text}" if host else text

    def _begin_line(self) -> None:
        """Move to the start of a line, if a program's output ended in the middle of one."""
        self._erase_bars()
        if self._line_begun:
            self._outlet.put(STDERR, b"\n")
            self._line_begun = False

    def _erase_bars(self) -> None:
        if self._bars is not None:
            self._outlet.text(STDERR, self._bars.erase())
