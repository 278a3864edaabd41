"""Results as Markdown: the goals, a table for each scenario, and on what all of it was measured."""

from collections.abc import Iterable, Sequence

from tests.bench.fit import Line
from tests.bench.goals import GOALS, Goal
from tests.bench.results import UNITS, Outcome, Results, Score

_FITTED = ("visible", "acknowledged")
_VERDICTS = {True: "reached", False: "**missed**", None: "not known"}
BEGIN = "<!-- results: written by `make bench` -->"
END = "<!-- end of results -->"


def report(results: Results) -> str:
    """The whole text between the markers."""
    parts = ["### Goals", goals(results, GOALS), "### Where", *_settings(results)]
    for name, outcome in results.items():
        parts += [f"### {outcome.title}", _about(name, outcome)]
        if any(score.numbers for score in outcome.scores.values()):
            parts.append(table(outcome))
        parts += _errors(outcome)
    return "\n\n".join(parts) + "\n"


def into(text: str, results: str) -> str:
    """The document with these results between its markers. Raises ValueError without markers."""
    head, begin, rest = text.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no lines {BEGIN} and {END}")
    return f"{head}{begin}\n\n{results}\n{end}{tail}"


def goals(results: Results, wanted: Iterable[Goal]) -> str:
    rows = []
    for goal in wanted:
        verdict = goal.judge(results)
        rows.append([goal.what, goal.promise, verdict.measured, _VERDICTS[verdict.reached]])
    return _markdown(["operation", "goal", "measured", ""], rows)


def table(outcome: Outcome) -> str:
    """A row for each contestant; where distances differ, medians stand side by side."""
    scores = {name: score for name, score in outcome.scores.items() if score.numbers}
    quantities = [one for one in UNITS if any(one in score.numbers for score in scores.values())]
    fastest = _compared(quantities)
    heads = ["", *(head for quantity in quantities for head in _heads(quantity))]
    rows = [
        [name, *(cell for quantity in quantities for cell in _cells(score, quantity))]
        for name, score in scores.items()
    ]
    if fastest and len(scores) > 1:
        own = next(iter(scores.values()))
        heads.append("times the first line")
        for row, score in zip(rows, scores.values(), strict=True):
            row.append(_ratios(score, own, fastest))
    return _markdown(heads, rows)


def _compared(quantities: Sequence[str]) -> str:
    return next((quantity for quantity in _FITTED if quantity in quantities), "")


def _heads(quantity: str) -> list[str]:
    head = f"{quantity}, {UNITS[quantity]}" if UNITS[quantity] else quantity
    return [head, "fit"] if quantity in _FITTED else [head]


def _cells(score: Score, quantity: str) -> list[str]:
    medians = score.medians(quantity)
    cells = [" / ".join(_short(medians[rtt]) for rtt in sorted(medians))]
    if quantity in _FITTED:
        line = score.line(quantity)
        cells.append(fitted(line) if line else "")
    return cells


def fitted(line: Line) -> str:
    """The line as a + k * RTT; only its first part where one distance was measured."""
    if line.trips is None:
        return _short(line.fixed)
    return f"{_short(line.fixed)} {'-' if line.trips < 0 else '+'} {abs(line.trips):.2f} RTT"


def _ratios(score: Score, own: Score, quantity: str) -> str:
    """How many times as long it takes, at each distance that both have."""
    mine, theirs = own.medians(quantity), score.medians(quantity)
    rtts = sorted(mine.keys() & theirs.keys())
    return " / ".join(f"{theirs[rtt] / max(mine[rtt], 1e-6):.1f}" for rtt in rtts)


def _short(value: float) -> str:
    """About three digits."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _settings(results: Results) -> list[str]:
    """Machine and versions, each only once; of which scenarios, where they differ."""
    scenarios: dict[str, list[str]] = {}
    for name, outcome in results.items():
        text = "\n".join(f"- {key}: {value}" for key, value in outcome.setting.items())
        scenarios.setdefault(text, []).append(f"`{name}`")
    if len(scenarios) == 1:
        return list(scenarios)
    return [f"{', '.join(names)}:\n\n{text}" for text, names in scenarios.items()]


def _about(name: str, outcome: Outcome) -> str:
    distances = {
        rtt
        for score in outcome.scores.values()
        for quantity, by_rtt in score.numbers.items()
        for rtt in by_rtt
        if quantity != "processes"
    }
    if not distances:
        return f"`{name}`: nothing was measured."
    rtts = " / ".join(f"{rtt:g}" for rtt in sorted(distances))
    return f"`{name}`: medians of {outcome.repeat} at a round trip of {rtts} ms."


def _errors(outcome: Outcome) -> list[str]:
    return [
        f"**{name} failed**: {_one_line(score.error)}"
        for name, score in outcome.scores.items()
        if score.error
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(heads), ["---"] * len(heads), *map(list, rows)]
    return "\n".join("| " + " | ".join(_one_line(cell) for cell in line) + " |" for line in lines)
