"""The end of commands that are not jobs: the same words and JSON line as for jobs."""

from typing import Any

from igor_core.cli.json_lines import JsonLines
from igor_core.cli.outlet import STDERR, STDOUT, Outlet
from igor_core.cli.style import Style, wants_colour
from igor_core.cli.summary import error_lines
from igor_core.commands.parse import Invocation


def answer(invocation: Invocation, lines: list[str], data: Any = None) -> int:
    """Print the requested data; return exit status 0."""
    if invocation.values.get("json"):
        _finished(0, "", "", data)
    else:
        show(STDOUT, lines)
    return 0


def failure(as_json: bool, status: int, message: str, hint: str, data: Any = None) -> int:
    """Print the error; return the exit status."""
    if as_json:
        _finished(status, message, hint, data)
    else:
        show(STDERR, error_lines(message, hint, Style(wants_colour(STDERR))))
    return status


def show(descriptor: int, lines: list[str]) -> None:
    """Write lines; do nothing if their reader has gone."""
    outlet = Outlet()
    outlet.lines(descriptor, lines)
    outlet.drain()


def _finished(status: int, error: str, hint: str, data: Any) -> None:
    outlet = Outlet()
    outcome = {"status": status, "error": error, "hint": hint, "results": [], "data": data}
    JsonLines(outlet).finished("", outcome)
    outlet.drain()
