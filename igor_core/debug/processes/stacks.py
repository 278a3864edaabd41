"""Stacks of many processes, as text and as source locations; equal stacks are listed once."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from igor_core.debug.processes.model import Frame, PythonProcess, Thread
from igor_core.output import SourceTree
from igor_core.output.entry import QuickfixEntry
from igor_core.output.merge import Merger
from igor_core.output.report import ErrorReport, RawLocation, Trace

MAIN = "MainThread"
# The most PIDs that a sentence names.
_MOST_NAMED = 4
# Lone surrogates, except those that stand for undecodable bytes.
_HALVES = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


@dataclass(frozen=True)
class HostStacks:
    """A host's processes, and the tree that maps its paths to the project's files."""

    name: str
    processes: Sequence[PythonProcess]
    tree: SourceTree


def stack_text(process: PythonProcess, tree: SourceTree) -> str:
    """Format a process and its threads as `py-spy dump` does, with project paths where possible."""
    rank = f" (rank {process.rank})" if process.rank else ""
    lines = [f"Process {process.pid}{rank}: {process.command}"]
    lines += [f"{process.exe}, read by {process.by}"] if process.threads else []
    for thread in process.threads:
        lines += ["", _heading(thread)]
        lines += [f"    {frame.function} ({_where(frame, tree)})" for frame in thread.frames]
    return "\n".join(_printable(line) for line in lines) + "\n\n"


def _heading(thread: Thread) -> str:
    state = {True: "active", False: "idle", None: ""}[thread.active]
    marks = "+".join(filter(None, (state, "gil" if thread.gil else "")))
    ident = thread.ident if thread.ident < 1 << 32 else hex(thread.ident)
    name = f': "{thread.name}"' if thread.name else ""
    return f"Thread {ident}{f' ({marks})' if marks else ''}{name}"


def _where(frame: Frame, tree: SourceTree) -> str:
    inner = tree.inner(posixpath.normpath(frame.path)) if frame.path.startswith("/") else None
    path = inner if inner and tree.exists(inner) else frame.path
    return f"{path}:{frame.line}" if frame.line else path


def _printable(text: str) -> str:
    """Nothing that a program calls itself moves the cursor."""
    text = _HALVES.sub(lambda half: f"\\u{ord(half.group()):04x}", text)
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode()
        for char in text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    )


def stack_places(hosts: Sequence[HostStacks]) -> tuple[list[QuickfixEntry], int]:
    """Rows of a quickfix list, and how many stacks there was no room for.

    Main threads come first, and of each stack its innermost frame. One that several processes
    are in is there once, with their number, hosts and ranks.
    """
    merger = Merger()
    found = list(_stacks(hosts))
    titles = _titles(found)
    for order, stack in enumerate(sorted(found, key=lambda stack: stack.thread.name != MAIN)):
        spots = tuple(
            RawLocation(frame.path, frame.line, text=_printable(f"in {frame.function}"))
            for frame in stack.thread.frames
        )
        traces = (Trace(titles[stack.key], spots),)
        report = ErrorReport("I", traces, order, exception=stack.thread.name)
        rank = f"rank {stack.process.rank}" if stack.process.rank else ""
        merger.add(report, stack.host.tree, stack.host.name, rank)
    return merger.entries(), merger.dropped


@dataclass(frozen=True)
class _Stack:
    host: HostStacks
    process: PythonProcess
    thread: Thread

    @property
    def key(self) -> object:
        """Equal for equal stacks, whichever process they are in."""
        return self.thread.name, tuple((frame.path, frame.line) for frame in self.thread.frames)


def _stacks(hosts: Sequence[HostStacks]) -> Iterator[_Stack]:
    for host in hosts:
        for process in host.processes:
            for thread in process.threads:
                if thread.frames:
                    yield _Stack(host, process, thread)


def _titles(stacks: Sequence[_Stack]) -> Mapping[object, str]:
    """The first row of each stack: its process, what it does, and in which thread."""
    by_key: dict[object, list[_Stack]] = defaultdict(list)
    for stack in stacks:
        by_key[stack.key].append(stack)
    return {key: _title(same) for key, same in by_key.items()}


def _title(same: Sequence[_Stack]) -> str:
    """The title of equal stacks; the list adds how many there are."""
    thread = same[0].thread
    state = Counter(stack.thread.active for stack in same).most_common(1)[0][0]
    does = {True: "runs in", False: "waits in", None: "is in"}[state]
    who = [f"process {same[0].process.pid}"] if len(same) == 1 else []
    who += [f"thread {thread.name or thread.ident}"] if thread.name != MAIN else []
    return _printable(" ".join([*who, does, thread.frames[0].function]))


def numbers(values: Sequence[int]) -> str:
    """List numbers briefly, e.g. `3, 4, 5, 6 and 12 more`."""
    named = ", ".join(str(value) for value in values[:_MOST_NAMED])
    more = len(values) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
