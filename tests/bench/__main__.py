"""python -m tests.bench [SCENARIO ...]: igor's save path beside its peers, on lab hosts."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.bench import BenchError, contest
from tests.bench.contestants import missing
from tests.bench.results import Results
from tests.bench.scenarios import SCENARIOS, Scenario
from tests.lab import HostPlan, Lab, LabError
from tests.lab.lab import NAMES

ROUND_TRIPS = "0,20,80"


def main() -> int:
    arguments = _arguments()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    scenarios = [SCENARIOS[name] for name in arguments.names or SCENARIOS]
    try:
        results = measure(scenarios, [float(rtt) for rtt in arguments.rtt.split(",")])
    except (BenchError, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(results)
    return 0


def measure(scenarios: list[Scenario], rtts: list[float]) -> Results:
    """Run the scenarios. Raises BenchError where a contestant is missing."""
    names = sorted({name for scenario in scenarios for name in scenario.contestants})
    if lacks := missing(names):
        raise BenchError("; ".join(lacks))
    count = max(scenario.hosts for scenario in scenarios)
    plans = [HostPlan(name, docker=False) for name in NAMES[:count]]
    with tempfile.TemporaryDirectory(prefix="igor-bench-") as folder, Lab(plans) as lab:
        arena = contest.Arena(lab, Path(folder), contest.say)
        return {one.name: contest.run(arena, one, rtts, {}) for one in scenarios}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO")
    parser.add_argument("--rtt", default=ROUND_TRIPS)
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
