"""The end of a job in lines: what became of each host, and the job's own error."""

from typing import Any

from igor_core.cli.style import Style
from igor_core.cli.text import printable, printable_lines
from igor_core.quantities import duration

DIFFERS, CANCELLED, OWN_FAILURE = 1, 130, 255


def summary(verb: str, outcome: dict[str, Any], style: Style) -> list[str]:
    """A line per host with its hint, then the error of the job as a whole.

    One host's command that went well needs no words beside its output, nor do differences.
    """
    results = outcome["results"]
    if verb == "diff":
        results = [result for result in results if result["status"] != DIFFERS]
    if verb == "repl":  # the program has said what there was to say
        results = [result for result in results if result["text"]]
    lines: list[str] = []
    if verb not in ("exec", "run", "debug") or len(results) != 1 or results[0]["status"] != 0:
        lines = _results(verb, results, style)
    if outcome["error"]:
        lines += error_lines(outcome["error"], outcome["hint"], style)
    return lines


def error_lines(message: str, hint: str, style: Style) -> list[str]:
    """`igor: what is wrong`, and what to do under it."""
    first, *more = printable_lines(message) or [""]
    rest = more + printable_lines(hint)
    return [f"{style.paint('error', 'igor:')} {first}", *(f"  {line}" for line in rest)]


def _results(verb: str, results: list[dict[str, Any]], style: Style) -> list[str]:
    """A line per host in columns: host, state, time, what it says."""
    hosts = [printable(result["host"]) for result in results]
    states = [state(verb, result["status"]) for result in results]
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
    """The lines of a result and its hint, without the host, which stands before them."""
    text = result["text"].removeprefix(f"{result['host']}: ")
    return [*printable_lines(text), *printable_lines(result["hint"])] or [""]


def _fill(cell: str, column: list[str]) -> str:
    """The blanks that make a cell as wide as its column; colour codes have no width."""
    return " " * (max(map(len, column)) - len(cell))


def state(verb: str, status: int) -> str:
    """`ok`, `failed`, `cancelled`, or the exit status of the command that a host ran."""
    if status == 0:
        return "ok"
    if status == CANCELLED:
        return "cancelled"
    if verb in ("exec", "run") and status != OWN_FAILURE:
        return f"failed, exit status {status}"
    return "failed"
