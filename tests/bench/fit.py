"""What samples come to: medians, and the line a + k * RTT through them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """`fixed` in milliseconds, `trips` in round trips; None where one distance says nothing."""

    fixed: float
    trips: float | None

    def at(self, rtt: float) -> float:
        return self.fixed + (self.trips or 0.0) * rtt


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def ninth_tenth(samples: Sequence[float]) -> float:
    """The value that nine of ten samples don't exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, -(-9 * len(ordered) // 10) - 1)]


def fit(by_rtt: Mapping[float, float]) -> Line:
    """The least-squares line through the medians at each round trip time (milliseconds)."""
    if not by_rtt:
        raise ValueError("a line needs at least one point")
    if len(by_rtt) == 1:
        (only,) = by_rtt.values()
        return Line(only, None)
    slope, intercept = statistics.linear_regression(list(by_rtt), list(by_rtt.values()))
    return Line(intercept, slope)
