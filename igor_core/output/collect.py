"""The output of a job's hosts, read as it comes."""

import re
from collections import OrderedDict
from collections.abc import Mapping

from igor_core.output.arrows import Arrows
from igor_core.output.diagnostics import Diagnostics
from igor_core.output.docker import Builds
from igor_core.output.entry import Entry, Report
from igor_core.output.lines import Lines
from igor_core.output.make import Makes
from igor_core.output.merge import Merger
from igor_core.output.prefix import Prefixed, split_prefix
from igor_core.output.pretty import Pretty
from igor_core.output.pytest import Failures
from igor_core.output.python import Tracebacks
from igor_core.output.reader import Lane, Reader
from igor_core.output.stacks import Stacks
from igor_core.output.tree import Tree

# Prefixes that are told apart at the same time; of more, the one that spoke least lately ends.
_MOST_LANES = 256

# Whatever begins or is something has one of these; most lines of most programs don't.
_TELLING = re.compile(
    r":\d|, line \d|line \d+:|: \d+: |most recent call|\(\d+(?:,\d+)?\) ?:|^(?:FAILED|ERROR|rootdir:) "
    r"|^___|^===|--- FAIL|anic|fatal error|Fatal|directory [`']|[Ss](?:tep|TEP) \d|^ > \[|anitizer: "
    r"|Exception ignored|parse error"
)


class _Reading:
    """One lane and its readers, in the order in which they are asked."""

    def __init__(
        self, merger: Merger, numbers: "_Numbers", tree: Tree, who: tuple[str, str]
    ) -> None:
        host, rank = who

        def emit(report: Report) -> None:
            if merger.add(report, tree, host, rank):
                self._failures.seen()

        self._lane = Lane(emit, numbers.next)
        self._failures = Failures(self._lane)
        self._readers: list[Reader] = [
            self._failures, Pretty(self._lane), Tracebacks(self._lane), Stacks(self._lane),
            Builds(self._lane, tree.dockerfile, tree.dockerfile_text),
            Arrows(self._lane), Makes(self._lane), Diagnostics(self._lane),
        ]  # fmt: skip

    def take(self, line: str) -> None:
        if _TELLING.search(line) or any(reader.open for reader in self._readers):
            for reader in self._readers:
                if reader.take(line):
                    break
        if line.strip():
            self._lane.previous = line

    def flush(self) -> None:
        for reader in self._readers:
            reader.flush()


class _Numbers:
    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last


class Places:
    """Reads output and collects the places in it. `trees` has each host's view of the project.

    Memory and the time for each byte are bounded, whatever the output is.
    """

    def __init__(self, trees: Mapping[str, Tree]) -> None:
        self._trees = trees
        self._merger = Merger()
        self._numbers = _Numbers()
        self._lines: dict[tuple[str, str], Lines] = {}
        self._readings = OrderedDict[tuple[str, str, str], _Reading]()

    @property
    def dropped(self) -> int:
        """Reports beyond the most that are kept."""
        return self._merger.dropped

    def feed(self, host: str, stream: str, data: bytes) -> None:
        """Take in what `host`, one of the trees', wrote on `stream`."""
        lines = self._lines.setdefault((host, stream), Lines())
        for line in lines.feed(data):
            self._take(host, stream, line)

    def finish(self) -> list[Entry]:
        """All entries, the location of the failure first."""
        for (host, stream), lines in self._lines.items():
            self._take(host, stream, lines.rest())
        for reading in self._readings.values():
            reading.flush()
        self._readings.clear()
        return self._merger.entries()

    def _take(self, host: str, stream: str, line: str) -> None:
        prefixed = split_prefix(line)
        key = host, stream, prefixed.lane
        reading = self._readings.get(key)
        if reading is None:
            if not _TELLING.search(prefixed.text):
                return
            reading = self._readings[key] = self._new_reading(host, prefixed)
        self._readings.move_to_end(key)
        reading.take(prefixed.text)

    def _new_reading(self, host: str, prefixed: Prefixed) -> _Reading:
        if len(self._readings) >= _MOST_LANES:
            _key, oldest = self._readings.popitem(last=False)
            oldest.flush()
        rank = prefixed.rank
        if prefixed.host in self._trees:
            host = prefixed.host
        elif prefixed.host:
            rank = rank or prefixed.host
        return _Reading(self._merger, self._numbers, self._trees[host], (host, rank))
