"""diff: show how a host differs in the files that a push holds back, or settle it."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from igor_core.errors import UsageError
from igor_core.events import Outcome
from igor_core.verbs.diff.compare import Comparison, Pair, compare
from igor_core.verbs.diff.resolve import ours, theirs
from igor_core.verbs.diff.side import Side
from igor_core.verbs.diff.unified import describe, difference
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.targets import Done, Target, each, targets_of
from igor_core.worktree.files import shown
from igor_core.worktree.local_tree import LocalTree

DIFFERS, TROUBLE = 1, 2
# Pairs that are read at a time, each side of at most side.LARGE bytes.
AT_ONCE = 4
CHUNK = 1 << 16
# The most bytes of contents in the result; a FINISHED frame holds 16 MB.
CONTENTS = 12 << 20


async def diff(job: Job, context: Context) -> Outcome:
    """Exit as diff(1): 0 no difference (or all settled), 1 differences, 2 trouble."""
    if flag(job, "ours") and flag(job, "theirs"):
        raise UsageError("diff: --ours and --theirs exclude each other")
    targets = targets_of(job, context)
    project = targets[0].project
    local = LocalTree(project.root, project.config.include, project.config.exclude)
    if flag(job, "ours"):
        outcome = await ours(targets, context, local)
    elif flag(job, "theirs"):
        outcome = await theirs(targets, context, local)
    else:
        outcome = await _Showing(job, context, local).run(targets)
    status = max((result.status for result in outcome.results), default=outcome.status)
    return replace(outcome, status=status)


class _Showing:
    """Shows the differences of one host after the other, in the order of their answers."""

    def __init__(self, job: Job, context: Context, local: LocalTree) -> None:
        self._job = job
        self._context = context
        self._local = local
        self._turn = asyncio.Lock()
        self._found: list[dict[str, Any]] = []
        self._contents = 0

    async def run(self, targets: list[Target]) -> Outcome:
        outcome = await each(targets, self._on, failure=TROUBLE)
        return replace(outcome, data=self._found)

    async def _on(self, target: Target) -> Done:
        looked = await compare(target, self._context, self._local)
        async with self._turn:
            shown_pairs = [pair async for pair in self._differences(looked)]
        await looked.remember(shown_pairs)
        if shown_pairs:
            count = len(shown_pairs)
            return Done(
                f"{count} {'path differs' if count == 1 else 'paths differ'}", DIFFERS, "differs"
            )
        return Done("no difference" if looked.paths else "nothing is held back")

    async def _differences(self, looked: Comparison) -> AsyncIterator[Pair]:
        """Show the pairs that differ, and yield each without its contents."""
        for at in range(0, len(looked.paths), AT_ONCE):
            some = looked.paths[at : at + AT_ONCE]
            for pair in await asyncio.gather(*(looked.pair(path) for path in some)):
                if pair.differs:
                    await self._show(looked.target, pair)
                    yield replace(
                        pair,
                        host=replace(pair.host, content=None),
                        local=replace(pair.local, content=None),
                    )

    async def _show(self, target: Target, pair: Pair) -> None:
        why = pair.why or (
            f"{shown(pair.obstacle)} is not a folder on the host" if pair.obstacle else ""
        )
        text = await difference(
            pair.host, pair.local, why,
            colour=flag(self._job, "colour"), screen=flag(self._job, "screen"),
        )  # fmt: skip
        for at in range(0, len(text), CHUNK):
            await self._job.output("", "stdout", text[at : at + CHUNK])
        self._found.append(
            {
                "host": target.name,
                "path": os.fsdecode(pair.path),
                "why": why,
                "there": self._described(pair.host),
                "here": self._described(pair.local),
            }
        )

    def _described(self, side: Side) -> dict[str, Any]:
        """A side as plain data, with its content if an editor has asked for it."""
        described = {
            "name": side.name,
            "kind": side.kind,
            "size": side.size,
            "text": side.is_text,
            "words": describe(side),
        }
        if flag(self._job, "contents") and side.is_text:
            self._contents += len(side.content or b"")
            if self._contents <= CONTENTS:
                described["content"] = side.content
                described["utf8"] = _is_utf8(side.content or b"")
        return described


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
