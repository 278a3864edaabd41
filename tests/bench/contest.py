"""One scenario, run: all contestants in turn, again and again, at each distance."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.bench import BenchError
from tests.bench.contestants import CONTESTANTS, Contestant, Ground
from tests.bench.corpus import CORPORA, write
from tests.bench.forks import Forks
from tests.bench.results import Outcome, Score
from tests.bench.room import Room
from tests.bench.scenarios import Scenario
from tests.bench.tree import Edit, Tree, difference
from tests.bench.watch import Times, Watch
from tests.lab import Host, Lab

#: After an answer, until what the contestant does afterwards has been counted too.
_SETTLE_SECONDS = 0.04
_NEAR = 0.0

Kind = TypeVar("Kind", bound=Contestant)


@dataclass
class Arena:
    """The lab, a folder on this machine, and who says how it goes."""

    lab: Lab
    folder: Path
    say: Callable[[str], None]

    def corpus(self, name: str) -> Path:
        """The tree of that corpus, from which contestants get their copies."""
        root = self.folder / "corpora" / name
        if not root.exists():
            self.say(f"making {name}")
            write(CORPORA[name], root)
        return root


@dataclass
class Player:
    """A contestant with what was measured of it."""

    name: str
    contestant: Contestant
    score: Score = field(default_factory=Score)
    samples: dict[str, list[float]] = field(default_factory=dict)
    version: int = 0

    def note(self, quantity: str, value: float | None) -> None:
        if value is not None:
            self.samples.setdefault(quantity, []).append(value)

    def flush(self, rtt: float) -> None:
        """The samples at that distance are complete."""
        for quantity, samples in self.samples.items():
            self.score.add(quantity, rtt, samples)
        self.samples = {}


def run(
    arena: Arena, scenario: Scenario, rtts: Sequence[float], setting: dict[str, str]
) -> Outcome:
    """Play the scenario. A contestant that fails is out, and its score says why."""
    hosts = arena.lab.hosts[: scenario.hosts]
    _go_to(hosts, _NEAR)
    outcome = Outcome(scenario.title, setting, scenario.repeat)
    with _players(arena, scenario, hosts) as players:
        for player in players:
            outcome.scores[player.name] = player.score
        _each(arena, players, lambda player: _prepare(scenario, player))
        for rtt in rtts:
            arena.say(f"{scenario.name}: {rtt:g} ms")
            _go_to(hosts, rtt)
            _at_distance(arena, scenario, players, rtt)
        _go_to(hosts, _NEAR)
        _each(arena, players, lambda player: _count_processes(scenario, player))
    return outcome


def _at_distance(arena: Arena, scenario: Scenario, players: list[Player], rtt: float) -> None:
    """One round that doesn't count, then A B C A B C."""
    for round_ in range(scenario.repeat + 1):
        _each(arena, players, lambda player: _play(scenario, player))
        if round_ == 0:
            for player in players:
                player.samples = {}
    for player in players:
        player.flush(rtt)
    _each(arena, players, _check)


def _each(arena: Arena, players: list[Player], act: Callable[[Player], None]) -> None:
    """Let all that are still in act, one after the other."""
    for player in players:
        if player.score.error:
            continue
        try:
            act(player)
        except (BenchError, OSError, EOFError) as error:
            player.score.error = f"{type(error).__name__}: {error}"
            player.samples = {}
            arena.say(f"{player.name} is out: {error}")


def _prepare(scenario: Scenario, player: Player) -> None:
    player.contestant.open()
    if not scenario.is_first:
        player.contestant.first()


def _play(scenario: Scenario, player: Player) -> None:
    """One turn, and what it cost."""
    edit = _next_edit(scenario, player)
    contestant = player.contestant
    account = contestant.room.account
    before = account.spent_ns()
    times = _turn(scenario, contestant, edit)
    player.note("visible", times.visible)
    player.note("acknowledged", times.acknowledged)
    time.sleep(_SETTLE_SECONDS)
    player.note("cpu", (account.spent_ns() - before) / 1e6)
    for quantity, value in contestant.quantities().items():
        player.note(quantity, value)
    if scenario.is_first:
        player.note("peak memory", contestant.peak_memory())
    _clear(scenario, contestant)


def _next_edit(scenario: Scenario, player: Player) -> Edit:
    player.version += 1
    contestant = player.contestant
    if scenario.before:
        _turn(scenario, contestant, scenario.before(contestant.ground.tree, player.version))
    if scenario.is_first:
        contestant.move_to(f"{contestant.ground.folder.split('.')[0]}.{player.version}")
        os.sync()
    return scenario.edit(contestant.ground.tree, player.version)


def _turn(scenario: Scenario, contestant: Contestant, edit: Edit) -> Times:
    watch = Watch(contestant.ground.tops(), edit.sights if contestant.delivers else ())
    try:
        return watch.follow(contestant.turn(edit), scenario.seconds)
    finally:
        watch.close()


def _clear(scenario: Scenario, contestant: Contestant) -> None:
    """After a first push: look whether all of it is there, then remove it."""
    if not scenario.is_first:
        return
    _compare(contestant)
    for host in contestant.ground.hosts:
        shutil.rmtree(host.path(f"{host.home}/{contestant.ground.folder}"))


def _check(player: Player) -> None:
    if player.contestant.delivers and player.contestant.ground.tops()[0].exists():
        _compare(player.contestant)


def _compare(contestant: Contestant) -> None:
    for top in contestant.ground.tops():
        if found := difference(contestant.ground.tree.root, top):
            raise BenchError(f"the trees are not the same: {found}")


def _count_processes(scenario: Scenario, player: Player) -> None:
    """A turn of its own: while the kernel tells of each fork, nothing is timed."""
    edit = _next_edit(scenario, player)
    try:
        with Forks(player.contestant.room.members()) as forks:
            _turn(scenario, player.contestant, edit)
            time.sleep(_SETTLE_SECONDS)
            player.score.add("processes", _NEAR, [float(forks.count())])
    except PermissionError:
        pass  # not counted where the kernel doesn't tell
    _clear(scenario, player.contestant)


def _go_to(hosts: Sequence[Host], rtt: float) -> None:
    for host in hosts:
        host.delay(rtt)


@contextmanager
def _players(arena: Arena, scenario: Scenario, hosts: Sequence[Host]) -> Iterator[list[Player]]:
    players: list[Player] = []
    with ExitStack() as stack:
        for number, name in enumerate(scenario.contestants):
            folder = f"bench-{scenario.name}-{number}"
            kind = CONTESTANTS[name].kind
            contestant = enter(arena, kind, name, scenario.corpus, hosts, folder)
            stack.callback(leave, contestant)
            players.append(Player(name, contestant))
        yield players


def enter(
    arena: Arena, kind: type[Kind], name: str, corpus: str, hosts: Sequence[Host], folder: str
) -> Kind:
    """A contestant in surroundings of its own, with its own copy of the tree."""
    room = Room(name, arena.folder / folder, arena.lab.ssh_config)
    root = room.folder / "work" / corpus
    root.parent.mkdir()
    copy = ["cp", "-a", "--reflink=auto", str(arena.corpus(corpus)), str(root)]
    subprocess.run(copy, check=True)
    return kind(Ground(room, Tree(root), hosts, folder))


def leave(contestant: Contestant) -> None:
    try:
        with suppress(OSError, EOFError):
            contestant.close()
    finally:
        contestant.room.close()
    folder = contestant.ground.folder
    for host in contestant.ground.hosts:
        shutil.rmtree(host.path(f"{host.home}/{folder}"), ignore_errors=True)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
