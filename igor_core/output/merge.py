"""Merges equal reports and lists them as entries, the location of the failure first."""

import itertools
import re
from collections import deque
from dataclasses import dataclass, field, replace

from igor_core.output.entry import QuickfixEntry
from igor_core.output.report import ErrorReport, Kind, Trace
from igor_core.output.source_tree import SourceTree

#: Nobody walks through more. The first half stays; a later error replaces an earlier report, so
#: that what a program ends with is always listed.
MOST_REPORTS = 2000
#: The most rows of all reports, and of one: deep recursions have thousands.
MOST_ROWS = 4000
_LONGEST = 200

# The most reports with the same first location that are compared with a cut one.
_MOST_ALIKE = 8
# The most ranks that are named; more are only counted.
_MOST_NAMED = 16
_NUMBER = re.compile(r"\d+")
_RANK: dict[Kind, int] = {"E": 0, "W": 1, "I": 2, "N": 3}


@dataclass
class _Merged:
    """A report and the hosts and ranks that made it."""

    entries: list[QuickfixEntry]
    kind: Kind
    order: int
    last: bool
    count: int = 0
    hosts: dict[str, None] = field(default_factory=dict)
    ranks: dict[str, None] = field(default_factory=dict)

    @property
    def weight(self) -> tuple[int, bool, bool, int]:
        """The sort key: errors first, then locations in the project, then how the program ended."""
        inside = any(not entry.library for entry in self.entries)
        return _RANK[self.kind], not inside, not self.last, self.order


class Merger:
    """Collects reports; `dropped` counts those that there was no room for."""

    def __init__(self) -> None:
        self._merged: dict[object, _Merged] = {}
        # Keys of replaceable reports, the oldest first; errors are replaced last.
        self._others = deque[object]()
        self._errors = deque[object]()
        # The locations of some reports, by the first one.
        self._begin: dict[tuple[str, int], list[list[tuple[str, int]]]] = {}
        self.dropped = 0

    def add(self, report: ErrorReport, tree: SourceTree, host: str, rank: str) -> bool:
        """Add a report; return whether it has a location that can be opened."""
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

    def entries(self) -> list[QuickfixEntry]:
        """Return the rows; drop the last reports if there is no room for them."""
        found: list[QuickfixEntry] = []
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
        """Return whether one more can be kept; an error makes room for itself."""
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
        locations = [_where(entry) for entry in merged.entries]
        same = self._begin.setdefault(locations[0], [])
        if len(same) < _MOST_ALIKE:
            same.append(locations)

    def _forget(self, key: object) -> None:
        self.dropped += 1
        locations = [_where(entry) for entry in self._merged.pop(key).entries]
        same = self._begin[locations[0]]
        if locations in same:
            same.remove(locations)
        if not same:
            del self._begin[locations[0]]

    def _is_end_of_other(self, entries: list[QuickfixEntry]) -> bool:
        """Return whether it is the end of a traceback that was seen whole (BuildKit repeats it)."""
        locations = [_where(entry) for entry in entries]
        return any(
            whole[: len(locations)] == locations for whole in self._begin.get(locations[0], ())
        )


def _entries(trace: Trace, kind: Kind, tree: SourceTree) -> list[QuickfixEntry]:
    """Put the title at the innermost frame and at the project's innermost; others are notes."""
    found: list[QuickfixEntry] = []
    led = False
    for location in trace.locations:
        found_at = tree.locate(location.path, location.folders, certain=location.certain)
        if found_at is None or (location.context and led):
            continue
        leads = not led and not location.kind
        leading = leads and (not found_at.library or not found)
        own: Kind = location.kind or (kind if leading else "N")
        text = trace.title or location.text if leading else location.text
        found.append(
            QuickfixEntry(
                path=found_at.path, remote=found_at.remote,
                line=location.line, column=location.column, kind=own, text=text,
                library=found_at.library, symbol=location.symbol,
            )
        )  # fmt: skip
        led = led or (leads and not found_at.library)
    return found


def _where(entry: QuickfixEntry) -> tuple[str, int]:
    return entry.path or entry.remote, entry.line


def _key(report: ErrorReport, entries: list[QuickfixEntry]) -> object:
    """Equal for reports with the same locations and, apart from numbers, the same text."""
    locations = tuple((*_where(entry), entry.column, entry.symbol) for entry in entries)
    return report.kind, locations, report.exception or _NUMBER.sub("0", report.traces[0].title)


def _natural(rank: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", rank)]
