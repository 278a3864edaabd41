"""What has been measured, as data: medians by scenario, contestant, quantity and round trip."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.fit import Line, fit, median, ninth_tenth

#: Quantities and their units.
UNITS = {
    "visible": "ms", "acknowledged": "ms", "cpu": "ms", "blocked": "ms", "stall": "ms",
    "processes": "", "idle cpu": "ms", "memory": "MB", "peak memory": "MB", "growth": "MB",
    "saves": "",
}  # fmt: skip


@dataclass(frozen=True)
class Number:
    """The median of `count` samples and what nine of ten don't exceed."""

    median: float
    ninth_tenth: float
    count: int


@dataclass
class Score:
    """One contestant in one scenario; quantity → round trip in ms → number."""

    numbers: dict[str, dict[float, Number]] = field(default_factory=dict)
    error: str = ""

    def add(self, quantity: str, rtt: float, samples: list[float]) -> None:
        number = Number(round(median(samples), 4), round(ninth_tenth(samples), 4), len(samples))
        self.numbers.setdefault(quantity, {})[rtt] = number

    def medians(self, quantity: str) -> dict[float, float]:
        return {rtt: number.median for rtt, number in self.numbers.get(quantity, {}).items()}

    def line(self, quantity: str) -> Line | None:
        """The fit of that quantity; None where it wasn't measured."""
        medians = self.medians(quantity)
        return fit(medians) if medians else None


@dataclass
class Outcome:
    """One scenario as it was run: by whom, how often, on what and when."""

    title: str
    setting: dict[str, str]
    repeat: int
    scores: dict[str, Score] = field(default_factory=dict)


Results = dict[str, Outcome]


def dump(results: Results) -> str:
    plain = {name: asdict(outcome) for name, outcome in results.items()}
    return json.dumps(plain, indent=1) + "\n"


def load(path: Path) -> Results:
    """What an earlier run has kept; nothing where there was none."""
    if not path.exists():
        return {}
    return {name: _outcome(plain) for name, plain in json.loads(path.read_text()).items()}


def _outcome(plain: Mapping[str, Any]) -> Outcome:
    scores = {name: _score(score) for name, score in plain["scores"].items()}
    return Outcome(plain["title"], plain["setting"], plain["repeat"], scores)


def _score(plain: Mapping[str, Any]) -> Score:
    numbers = {
        quantity: {float(rtt): Number(**number) for rtt, number in by_rtt.items()}
        for quantity, by_rtt in plain["numbers"].items()
    }
    return Score(numbers, plain["error"])
