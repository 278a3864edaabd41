"""Reports into entries: the same one counted, the location of the failure first."""

import itertools
import re
from collections import deque
from dataclasses import dataclass, field, replace

from igor_core.output.entry import Entry, Kind, Report, Trace
from igor_core.output.tree import Tree

#: Nobody walks through more. The first half stays; of later ones errors take the place of earlier
#: ones, so that what a program ends with is always there.
MOST_REPORTS = 2000
#: Rows of all reports, and of one: chains of deep recursions have thousands.
MOST_ROWS = 4000
_LONGEST = 200

# Reports that begin at one place and are compared with a cut one.
_MOST_ALIKE = 8
# Names of those who said the same; more are only counted.
_MOST_NAMED = 16
_NUMBER = re.compile(r"\d+")
_RANK: dict[Kind, int] = {"E": 0, "W": 1, "I": 2, "N": 3}


@dataclass
class _Merged:
    """A report and who made it."""

    entries: list[Entry]
    kind: Kind
    order: int
    last: bool
    count: int = 0
    hosts: dict[str, None] = field(default_factory=dict)
    ranks: dict[str, None] = field(default_factory=dict)

    @property
    def weight(self) -> tuple[int, bool, bool, int]:
        """Errors first; what has a place in the project; what the program ended with."""
        inside = any(not entry.library for entry in self.entries)
        return _RANK[self.kind], not inside, not self.last, self.order


class Merger:
    """`dropped` counts the reports that there was no room for."""

    def __init__(self) -> None:
        self._merged: dict[object, _Merged] = {}
        # What can give way, in the order of arrival: other kinds before errors.
        self._others = deque[object]()
        self._errors = deque[object]()
        # Some places of each report, by the first.
        self._begin: dict[tuple[str, int], list[list[tuple[str, int]]]] = {}
        self.dropped = 0

    def add(self, report: Report, tree: Tree, host: str, rank: str) -> bool:
        """Whether the report has a place that can be opened."""
        found = (entry for trace in report.traces for entry in _entries(trace, report.kind, tree))
        entries = list(itertools.islice(found, _LONGEST))
        if not entries:
            return False
        key = _key(report, entries)
        merged = self._merged.get(key)
        if merged is None and report.cut and self._is_end_of_other(entries):
            return True
        if merged is None:
            if not self._has_room(report.kind):
                self.dropped += 1
                return True
            merged = _Merged(entries, report.kind, report.order, report.last)
            self._keep(key, merged)
        merged.count += 1
        merged.last |= report.last
        merged.hosts[host] = None
        if rank and len(merged.ranks) < _MOST_NAMED:
            merged.ranks[rank] = None
        return True

    def entries(self) -> list[Entry]:
        """The rows; of reports that there is no room for the last are dropped."""
        found: list[Entry] = []
        for number, merged in enumerate(
            sorted(self._merged.values(), key=lambda merged: merged.weight)
        ):
            if len(found) + len(merged.entries) > MOST_ROWS:
                self.dropped += len(self._merged) - number
                break
            hosts, ranks = tuple(merged.hosts), tuple(sorted(merged.ranks, key=_natural))
            found += [
                replace(entry, count=merged.count, hosts=hosts, ranks=ranks)
                for entry in merged.entries
            ]
        return found

    def _has_room(self, kind: Kind) -> bool:
        """Whether one more can be kept; an error makes room for itself."""
        if len(self._merged) < MOST_REPORTS:
            return True
        if kind != "E":
            return False
        self._forget((self._others or self._errors).popleft())
        return True

    def _keep(self, key: object, merged: _Merged) -> None:
        self._merged[key] = merged
        if len(self._merged) > MOST_REPORTS // 2:
            (self._errors if merged.kind == "E" else self._others).append(key)
        places = [_where(entry) for entry in merged.entries]
        same = self._begin.setdefault(places[0], [])
        if len(same) < _MOST_ALIKE:
            same.append(places)

    def _forget(self, key: object) -> None:
        self.dropped += 1
        places = [_where(entry) for entry in self._merged.pop(key).entries]
        same = self._begin[places[0]]
        if places in same:
            same.remove(places)
        if not same:
            del self._begin[places[0]]

    def _is_end_of_other(self, entries: list[Entry]) -> bool:
        """A traceback without its beginning that was seen whole (as BuildKit repeats it)."""
        places = [_where(entry) for entry in entries]
        return any(whole[: len(places)] == places for whole in self._begin.get(places[0], ()))


def _entries(trace: Trace, kind: Kind, tree: Tree) -> list[Entry]:
    """The innermost frame and the project's innermost carry the title; the others are notes."""
    found: list[Entry] = []
    led = False
    for spot in trace.spots:
        place = tree.place(spot.path, spot.folders, certain=spot.certain)
        if place is None or (spot.context and led):
            continue
        leads = not led and not spot.kind
        leading = leads and (not place.library or not found)
        own: Kind = spot.kind or (kind if leading else "N")
        text = trace.title or spot.text if leading else spot.text
        found.append(
            Entry(
                place.path, place.remote, spot.line, spot.column, own, text,
                place.library, spot.symbol,
            )
        )  # fmt: skip
        led = led or (leads and not place.library)
    return found


def _where(entry: Entry) -> tuple[str, int]:
    return entry.path or entry.remote, entry.line


def _key(report: Report, entries: list[Entry]) -> object:
    """What makes two reports one: the same places and, but for numbers, the same words."""
    places = tuple((*_where(entry), entry.column, entry.symbol) for entry in entries)
    return report.kind, places, report.exception or _NUMBER.sub("0", report.traces[0].title)


def _natural(rank: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", rank)]
