"""Ways to hold results against a promise: by the fit, by the peers, by a bound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.results import Results, Score


@dataclass(frozen=True)
class Verdict:
    """`reached` None: not measured, or not enough of it."""

    reached: bool | None
    measured: str


Judge = Callable[[Results], Verdict]


def bounds(
    scenario: str,
    name: str,
    quantity: str,
    *,
    fixed: float | None = None,
    trips: float | None = None,
    possible: float = 0.0,
) -> Judge:
    """The fit of a quantity stays below `fixed` milliseconds and `trips` round trips.

    Fewer than `possible` round trips show that something else was measured.
    """

    def judge(results: Results) -> Verdict:
        line = score_of(results, scenario, name).line(quantity)
        if line is None:
            return _nothing(results, scenario, name)
        measured = f"{line.fixed:.1f} ms + {line.trips or 0:.2f} RTT"
        if line.trips is None and trips is not None:
            return Verdict(None, f"{line.fixed:.1f} ms at one distance")
        if line.trips is not None and line.trips < possible:
            return Verdict(None, f"{measured}: told late, so not by the distance")
        is_near = fixed is None or line.fixed <= fixed
        return Verdict(is_near and (trips is None or (line.trips or 0) <= trips), measured)

    return judge


def faster(
    scenario: str,
    name: str,
    quantity: str,
    peers: Sequence[str],
    by: float,
    rtts: Sequence[float] = (),
) -> Judge:
    """Each peer takes at least `by` times as much, at those round trips (or at all)."""

    def judge(results: Results) -> Verdict:
        own = score_of(results, scenario, name).medians(quantity)
        found = []
        for peer in peers:
            theirs = score_of(results, scenario, peer).medians(quantity)
            for rtt in sorted(own.keys() & theirs.keys()):
                if not rtts or rtt in rtts:
                    found.append((theirs[rtt] / max(own[rtt], 1e-6), peer.split(",")[0], rtt))
        if not found:
            return _nothing(results, scenario, name)
        measured = ", ".join(f"{ratio:.1f} times {peer} at {rtt:g}" for ratio, peer, rtt in found)
        return Verdict(min(found)[0] >= by, measured)

    return judge


def above(scenario: str, name: str, plain: str, quantity: str, by: float) -> Judge:
    """At most `by` milliseconds more than the plain way has, at each round trip."""
    return beyond((scenario, name), (scenario, plain), quantity, by)


def beyond(own: tuple[str, str], other: tuple[str, str], quantity: str, by: float) -> Judge:
    """As `above`, for two contestants that are each given by scenario and name."""

    def judge(results: Results) -> Verdict:
        mine, theirs = (score_of(results, *place).medians(quantity) for place in (own, other))
        rtts = sorted(mine.keys() & theirs.keys())
        if not rtts:
            return _nothing(results, *own)
        measured = ", ".join(f"{mine[rtt]:.2f} beside {theirs[rtt]:.2f} ms" for rtt in rtts)
        return Verdict(all(mine[rtt] - theirs[rtt] <= by for rtt in rtts), measured)

    return judge


def at_most(scenario: str, name: str, quantity: str, bound: float) -> Judge:
    """The median stays below `bound`, at each round trip."""

    def judge(results: Results) -> Verdict:
        medians = score_of(results, scenario, name).medians(quantity)
        if not medians:
            return _nothing(results, scenario, name)
        measured = " / ".join(f"{medians[rtt]:.2f}" for rtt in sorted(medians))
        return Verdict(max(medians.values()) <= bound, measured)

    return judge


def all_of(*judges: Judge) -> Judge:
    """One promise of several bounds."""

    def judge(results: Results) -> Verdict:
        verdicts = [each(results) for each in judges]
        reached = [verdict.reached for verdict in verdicts]
        measured = "; ".join(dict.fromkeys(verdict.measured for verdict in verdicts))
        if False in reached:
            return Verdict(False, measured)
        return Verdict(None if None in reached else True, measured)

    return judge


def fixed_part(scenario: str, name: str, quantity: str, peer: str, by: float) -> Judge:
    """The fit's part that doesn't depend on the distance is at most `by` times the peer's."""

    def judge(results: Results) -> Verdict:
        own = score_of(results, scenario, name).line(quantity)
        other = score_of(results, scenario, peer).line(quantity)
        if own is None or other is None:
            return _nothing(results, scenario, name)
        measured = f"{own.fixed:.0f} ms, {peer.split(',')[0]} {other.fixed:.0f}"
        return Verdict(own.fixed <= by * other.fixed, measured)

    return judge


def score_of(results: Results, scenario: str, name: str) -> Score:
    """What a contestant has reached; an empty score where it took no part."""
    outcome = results.get(scenario)
    return outcome.scores.get(name, Score()) if outcome else Score()


def _nothing(results: Results, scenario: str, name: str) -> Verdict:
    """A contestant that failed has missed the goal; one that wasn't asked has not."""
    error = score_of(results, scenario, name).error
    return Verdict(False, "failed, see below") if error else Verdict(None, "not measured")
