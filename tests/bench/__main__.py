"""igor's save path beside its peers, on lab hosts near and far. All scenarios without a name."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from tests.bench import BenchError, contest, idle, machine
from tests.bench.contestants import CONTESTANTS, missing
from tests.bench.report import into, report
from tests.bench.results import Outcome, Results, dump, load
from tests.bench.scenarios import SCENARIOS, Scenario
from tests.lab import HostPlan, Lab, LabError
from tests.lab.lab import NAMES
from tests.support.cli_process import ROOT

DOCUMENT = ROOT / "doc" / "benchmarks.md"
DATA = DOCUMENT.with_suffix(".json")
SAVES, QUICK_SAVES = 10_000, 300
HELP = ", ".join([*SCENARIOS, idle.NAME])


@dataclass(frozen=True)
class Program:
    """What to run: scenarios at these round trips, and so many saves of an idle agent (or none)."""

    scenarios: Sequence[Scenario]
    rtts: Sequence[float]
    saves: int = 0


def main() -> int:
    arguments = _arguments()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    results: Results = {}
    try:
        for name, outcome in measure(_program(arguments)):
            results[name] = outcome
    except (BenchError, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; what was measured until then:", file=sys.stderr)
    print(report(results))
    if arguments.write:
        _write({**load(DATA), **results})
    failed = [name for one in results.values() for name, score in one.scores.items() if score.error]
    return 1 if failed else 0


def measure(program: Program) -> Iterator[tuple[str, Outcome]]:
    """Run it in a lab of its own: each scenario's name and outcome, as they come.

    Raises BenchError where a contestant is missing.
    """
    names = {name for scenario in program.scenarios for name in scenario.contestants}
    if lacks := missing(sorted(names)):
        raise BenchError("; ".join(lacks))
    count = max((scenario.hosts for scenario in program.scenarios), default=1)
    plans = [HostPlan(name, docker=False) for name in NAMES[:count]]
    setting = {"measured": f"{machine.today()} with igor {machine.igor()}", **machine.describe()}
    with tempfile.TemporaryDirectory(prefix="igor-bench-") as folder, Lab(plans) as lab:
        arena = contest.Arena(lab, Path(folder), contest.say)
        for one in program.scenarios:
            yield one.name, contest.run(arena, one, program.rtts, setting)
        if program.saves:
            yield idle.NAME, idle.run(arena, program.saves, setting)


def _program(arguments: argparse.Namespace) -> Program:
    names = arguments.names or [*SCENARIOS, idle.NAME]
    chosen = [SCENARIOS[name] for name in names if name != idle.NAME]
    if arguments.quick:
        chosen = [one.quick() for one in chosen]
    if arguments.repeat:
        chosen = [replace(one, repeat=arguments.repeat) for one in chosen]
    if arguments.only:
        chosen = [one.only(arguments.only) for one in chosen]
        chosen = [one for one in chosen if one.contestants]
    saves = QUICK_SAVES if arguments.quick else SAVES
    return Program(chosen, arguments.rtt, saves if idle.NAME in names else 0)


def _write(results: Results) -> None:
    """Keep these results, and put them into the document."""
    known = {name: results[name] for name in [*SCENARIOS, idle.NAME] if name in results}
    DATA.write_text(dump(known), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(into(text, report(known)), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", type=_scenario, metavar="SCENARIO", help=HELP)
    parser.add_argument("--rtt", type=_rtts, default=[0.0, 20.0, 80.0], help="ms, as 0,20,80")
    parser.add_argument("--repeat", type=int, help="how often each contestant has its turn")
    names = "; ".join(CONTESTANTS)
    parser.add_argument("--only", action="append", metavar="CONTESTANT", help=f"one of: {names}")
    parser.add_argument("--quick", action="store_true", help="small trees, two repetitions")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name} as well")
    return parser.parse_args()


def _scenario(name: str) -> str:
    if name not in (*SCENARIOS, idle.NAME):
        raise argparse.ArgumentTypeError(f"no scenario {name!r}; there are {HELP}")
    return name


def _rtts(text: str) -> list[float]:
    return [float(rtt) for rtt in text.split(",")]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
