"""One lane of output and all readers of formats, in the order in which they are asked."""

from igor_core.output.arrows import Arrows
from igor_core.output.diagnostics import Diagnostics
from igor_core.output.docker import Builds
from igor_core.output.entry import Report
from igor_core.output.make import Makes
from igor_core.output.merge import Merger
from igor_core.output.pretty import Pretty
from igor_core.output.pytest import Failures
from igor_core.output.python import Tracebacks
from igor_core.output.reader import Lane, Reader
from igor_core.output.stacks import Stacks
from igor_core.output.tree import Tree

#: How many lines back one may belong to what follows it.
NEAR = 8


class Numbers:
    """The order in which reports begin."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last


class Reading:
    """Reads what `rank` (or "") of `host` says."""

    def __init__(self, merger: Merger, numbers: Numbers, tree: Tree, host: str, rank: str) -> None:
        def emit(report: Report) -> None:
            if merger.add(report, tree, host, rank):
                self._failures.seen()

        self._lane = Lane(emit, numbers.next)
        self._previous_at = 0
        self._failures = Failures(self._lane)
        self._readers: list[Reader] = [
            self._failures, Pretty(self._lane), Tracebacks(self._lane), Stacks(self._lane),
            Builds(self._lane, tree.dockerfile, tree.dockerfile_text),
            Arrows(self._lane), Makes(self._lane), Diagnostics(self._lane),
        ]  # fmt: skip

    @property
    def open(self) -> bool:
        """It wants every line, telling or not."""
        return any(reader.open for reader in self._readers)

    def take(self, line: str, number: int) -> None:
        """`number` is the line's in its stream."""
        if number - self._previous_at > NEAR:
            self._lane.previous = ""
        for reader in self._readers:
            if reader.take(line):
                break
        self.follows(line, number)

    def follows(self, line: str, number: int) -> None:
        """The line itself is nothing, but what comes next may refer to it."""
        if line.strip():
            self._lane.previous, self._previous_at = line, number

    def flush(self) -> None:
        for reader in self._readers:
            reader.flush()
