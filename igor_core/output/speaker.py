"""One speaker in the output: the lines of one stream with one prefix."""

from collections.abc import Callable

from igor_core.output.formats.arrows import ArrowDiagnostics
from igor_core.output.formats.base import FormatContext, FormatReader
from igor_core.output.formats.diagnostics import Diagnostics
from igor_core.output.formats.drawn_tracebacks import DrawnTracebacks
from igor_core.output.formats.image_build import ImageBuilds
from igor_core.output.formats.make import MakeErrors
from igor_core.output.formats.pytest import PytestFailures
from igor_core.output.formats.python import PythonTracebacks
from igor_core.output.formats.stacks import StackTraces
from igor_core.output.merge import Merger
from igor_core.output.report import ErrorReport
from igor_core.output.source_tree import SourceTree

#: How many lines before a report one may still belong to it.
NEAR = 8


class SpeakerReader:
    """Offers each line of a speaker to the readers of formats, in their order.

    The speaker is `rank` (or "") on `host`; `count` numbers the reports of all speakers.
    """

    def __init__(
        self, merger: Merger, count: Callable[[], int], tree: SourceTree, host: str, rank: str
    ) -> None:
        def emit(report: ErrorReport) -> None:
            if merger.add(report, tree, host, rank):
                self._failures.seen()

        context = self._context = FormatContext(emit, count)
        self._previous_at = 0
        self._failures = PytestFailures(context)
        self._readers: list[FormatReader] = [
            self._failures, DrawnTracebacks(context), PythonTracebacks(context),
            StackTraces(context), ImageBuilds(context, tree.dockerfile, tree.dockerfile_text),
            ArrowDiagnostics(context), MakeErrors(context), Diagnostics(context),
        ]  # fmt: skip

    @property
    def open(self) -> bool:
        """Whether a report has begun, so that every line is wanted."""
        return any(reader.open for reader in self._readers)

    def take(self, line: str, number: int) -> None:
        """Read a line; `number` counts the lines of its stream."""
        if number - self._previous_at > NEAR:
            self._context.previous = ""
        for reader in self._readers:
            if reader.take(line):
                break
        self.follows(line, number)

    def follows(self, line: str, number: int) -> None:
        """Remember a line, which the next one may refer to."""
        if line.strip():
            self._context.previous, self._previous_at = line, number

    def flush(self) -> None:
        for reader in self._readers:
            reader.flush()
