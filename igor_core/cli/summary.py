"""The end of a job in lines: each host's result, and the job's own error."""

from typing import Any

from igor_core.cli.style import Style
from igor_core.cli.text import printable, printable_lines
from igor_core.commands.table import verb_named
from igor_core.quantities import duration


def summary(verb: str, outcome: dict[str, Any], style: Style) -> list[str]:
    """Return a line per host with its hint, then the error of the job as a whole.

    A program that succeeded on a single host needs no line beside its output, nor does a diff.
    """
    results = [result for result in outcome["results"] if result["kind"] != "differs"]
    is_one_program = verb_named(verb).runs_program and len(results) == 1
    is_said = is_one_program and results[0]["kind"] == "done" and not results[0]["text"]
    lines = [] if is_said else _results(results, style)
    if outcome["error"]:
        lines += error_lines(outcome["error"], outcome["hint"], style)
    return lines


def error_lines(message: str, hint: str, style: Style) -> list[str]:
    """Return `igor: what is wrong`, with the hint below it."""
    first, *more = printable_lines(message) or [""]
    rest = more + printable_lines(hint)
    return [f"{style.paint('error', 'igor:')} {first}", *(f"  {line}" for line in rest)]


def _results(results: list[dict[str, Any]], style: Style) -> list[str]:
    """Return a line per host in columns: host, state, time, message."""
    hosts = [printable(result["host"]) for result in results]
    states = [state(result) for result in results]
    times = [duration(result["seconds"]) for result in results]
    lines = []
    for host, word, time, result in zip(hosts, states, times, results, strict=True):
        colour = "good" if result["status"] == 0 else "error"
        cells = [
            style.host(host) + _fill(host, hosts),
            style.paint(colour, word) + _fill(word, states),
            _fill(time, times) + time,
        ]
        first, *more = _said(result)
        lines += [f"{'  '.join(cells)}  {first}".rstrip(), *(f"  {line}" for line in more)]
    return lines


def _said(result: dict[str, Any]) -> list[str]:
    """Return the lines of a result and its hint, without the host in front."""
    text = result["text"].removeprefix(f"{result['host']}: ")
    return [*printable_lines(text), *printable_lines(result["hint"])] or [""]


def _fill(cell: str, column: list[str]) -> str:
    """Return the blanks that pad a cell to its column's width; colour codes have no width."""
    return " " * (max(map(len, column)) - len(cell))


def state(result: dict[str, Any]) -> str:
    """Return `ok`, `failed`, `ended`, `cancelled`, or the exit status of the host's program."""
    if result["kind"] == "exited" and result["text"]:
        return "failed"
    if result["kind"] == "exited":
        return f"failed, exit status {result['status']}"
    return "ok" if result["kind"] == "done" else str(result["kind"])
