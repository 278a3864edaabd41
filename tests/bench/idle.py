"""The agent at rest: its CPU time over ten seconds, its memory, and what many saves leave of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import BenchError
from tests.bench.contest import Arena, enter, leave
from tests.bench.contestants.igor import SavingAgent
from tests.bench.goals import IDLE
from tests.bench.results import Outcome, Score
from tests.bench.watch import Watch

NAME = "idle"
TITLE = "The agent at rest, and its memory over many saves"
_REST_SECONDS = 10.0
#: Before memory is compared: until caches have their size.
_WARM_UP = 300
_SAVE_SECONDS = 10.0


def run(arena: Arena, saves: int, setting: dict[str, str]) -> Outcome:
    """Rest, save `saves` times, and look at the agent's memory before and after."""
    score = Score()
    with _agent(arena) as agent:
        try:
            _measure(agent, saves, score)
        except (BenchError, OSError) as error:
            score.error = f"{type(error).__name__}: {error}"
            arena.say(f"{IDLE} is out: {error}")
    return Outcome(TITLE, setting, 1, {IDLE: score})


def _measure(agent: SavingAgent, saves: int, score: Score) -> None:
    agent.open()
    agent.first()
    time.sleep(1)
    before = agent.room.account.spent_ns()
    time.sleep(_REST_SECONDS)
    score.add("idle cpu", 0, [(agent.room.account.spent_ns() - before) / 1e6])
    score.add("memory", 0, [agent.memory("VmRSS")])
    _save(agent, range(_WARM_UP))
    warm = agent.memory("VmRSS")
    _save(agent, range(_WARM_UP, _WARM_UP + saves))
    score.add("saves", 0, [float(saves)])
    score.add("growth", 0, [agent.memory("VmRSS") - warm])


def _save(agent: SavingAgent, versions: range) -> None:
    for version in versions:
        edit = agent.ground.tree.save(version)
        watch = Watch(agent.ground.tops(), edit.sights)
        try:
            watch.follow(agent.turn(edit), _SAVE_SECONDS)
        finally:
            watch.close()


@contextmanager
def _agent(arena: Arena) -> Iterator[SavingAgent]:
    host = arena.lab.hosts[0]
    host.delay(0)
    agent = enter(arena, SavingAgent, IDLE, "files-30", [host], "idle")
    try:
        yield agent
    finally:
        leave(agent)
