"""Push a project's tree to the hosts of one job, and report the result."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from igor_core.errors import HostError
from igor_core.events import Outcome, Progress, Warning
from igor_core.push.report import PushOptions, PushReport, Reporter
from igor_core.push.sync.host_sync import HostSync
from igor_core.quantities import size
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, confirm, flag
from igor_core.verbs.steps.targets import Done, Target, each, targets_of
from igor_core.worktree.files import Tree, shown

# How often a tree that changes while it is sent is sent at most.
ROUNDS = 3


PROGRESS_SECONDS = 0.1


NAMED = 5


async def push(job: Job, context: Context) -> Outcome:
    """Push; one result per host. A host on which paths are held back has failed."""
    targets = targets_of(job, context)
    pusher = Pusher(job, context, targets[0])

    async def on(target: Target) -> Done:
        report = await pusher.push(target)
        if pusher.options.dry_run:
            await _list(target, report)
        elif report.held_back:
            raise HostError(held_back_text(report), held_back_hint(report))
        return Done(summary(report, pusher.options.dry_run))

    return await each(targets, on)


HELD_BACK_HINT = (
    "the host's versions are kept; compare: igor diff; then: igor diff --ours or --theirs, "
    "or overwrite them all: igor push --force"
)


IN_THE_WAY_HINT = "igor never removes what is not its own; move it away, then push again"


Means = Callable[["asyncio.Future[Tree]", PushOptions, Reporter], Awaitable[PushReport]]


class Pusher:
    """Pushes one project to the hosts of one job; reads the local tree once for all of them."""

    def __init__(self, job: Job, context: Context, target: Target) -> None:
        self.options = PushOptions(
            dry_run=flag(job, "dry_run"),
            force=flag(job, "overwrite"),
            take_over=flag(job, "take_over"),
            allow_deletes=flag(job, "allow_deletes"),
        )
        self._job = job
        self._context = context
        self._project = target.project
        self._pushed: dict[str, Tree] = {}
        self._scan = asyncio.ensure_future(self._read_and_warn())
        # If no host can be reached, nobody awaits the scan: retrieve its error all the same.
        self._scan.add_done_callback(lambda scan: scan.cancelled() or scan.exception())

    async def tree(self, target: Target) -> Tree:
        """Return the local tree as it was pushed to the host; before that, as this job found it."""
        if target.name in self._pushed:
            return self._pushed[target.name]
        return await asyncio.shield(self._scan)

    def real_path(self, target: Target) -> str:
        """Return the project's folder on the host without links, empty if unknown."""
        return self._host_sync(target).host_tree.real_path

    async def push(self, target: Target) -> PushReport:
        """Compare the whole tree with one host and push the differences."""
        return await self._until_still(target, self._host_sync(target).push)

    async def make_fresh(self, target: Target) -> PushReport:
        """Push so that, at return, the host has the local files as they are now (the barrier).

        Takes no round trip if the host has already acknowledged everything.
        """
        return await self._until_still(target, self._host_sync(target).reach)

    def _host_sync(self, target: Target) -> HostSync:
        return self._context.clones.host_sync(self._project, target.entry)

    async def _until_still(self, target: Target, means: Means) -> PushReport:
        """Push, and push again while files change during the push."""
        warm = target.remote.state == "connected"
        paths = (await target.connect()).paths
        if target.job.verb not in ("exec", "run", "repl", "diff"):
            target.step(f"push to {paths.tree}")
        # A person may have saved again while the login asked for a password.
        report = await self._round(target, means, self._scan if warm else self._read())
        for _again in range(ROUNDS - 1):
            if not report.moving:
                return report
            report = (await self._round(target, means, self._read())).after(report)
        if report.moving:
            raise HostError(
                f"{_count(len(report.moving))} changed while they were sent, again and again: "
                f"{_named(report.moving)}",
                'is a local program writing them? name them under "exclude" in the config',
            )
        return report

    async def _round(self, target: Target, means: Means, scan: Awaitable[Tree]) -> PushReport:
        for _newer in range(ROUNDS):
            scanning = asyncio.ensure_future(scan)
            report = await means(asyncio.shield(scanning), self.options, _Reporter(target))
            if report.notice:
                target.step(report.notice)
            if not report.outdated:
                self._pushed[target.name] = await scanning
                return report
            scan = self._read()
        raise HostError("gave up: newer pushes kept superseding this one", "push again")

    async def _read_and_warn(self) -> Tree:
        tree = await self._read()
        for paths, what in ((tree.passed_over, "neither files nor links"),
                            (tree.unreadable, "not readable locally")):  # fmt: skip
            if paths:
                text = f"passed over, {what}: {_named(paths)}"
                self._job.emit(Warning("", text, 'to be silent, name them under "exclude"'))
        return tree

    async def _read(self) -> Tree:
        return await self._context.clones.of(self._project).scan()


class _Reporter:
    """Tells the job of a push's progress, not too often, and asks the push's questions."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._last = 0.0

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS or done >= total:
            self._last = now
            event = Progress(self._target.name, label, done, total, unit, rate)
            self._target.job.emit(event)

    async def confirm(self, question: str) -> bool:
        return await confirm(self._target.job, self._target.name, question)


async def _list(target: Target, report: PushReport) -> None:
    lines = [f"send {shown(file.path)}\n" for file in report.sent]
    lines += [f"delete {shown(path)}\n" for path in report.deleted]
    lines += [f"keep {shown(item.path)} ({item.reason})\n" for item in report.held_back]
    await target.job.output(target.name, "stdout", "".join(lines).encode())


def summary(report: PushReport, dry_run: bool = False) -> str:
    """Describe a push in one line."""
    would = "would be " if dry_run else ""
    parts = []
    if report.sent:
        parts.append(f"{_count(len(report.sent))} {would}sent ({size(report.size)})")
    if report.deleted:
        parts.append(f"{_count(len(report.deleted))} {would}deleted")
    if not parts:
        parts.append("nothing to send")
    return ", ".join([*parts, f"{report.unchanged} unchanged"])


def held_back_text(report: PushReport) -> str:
    """Name the paths that are held back on the host, and why, in one line."""
    items = [f"{shown(item.path)} ({item.reason})" for item in report.held_back]
    return f"{_count(len(items))} held back: {_some(items)}"


def warn_of_held_back(target: Target, report: PushReport) -> None:
    """Warn of held-back paths, in a job that goes on all the same."""
    if report.held_back:
        target.warn(held_back_text(report), held_back_hint(report))


def held_back_hint(report: PushReport) -> str:
    forced = any(item.yields_to_force for item in report.held_back)
    return HELD_BACK_HINT if forced else IN_THE_WAY_HINT


def _named(paths: Sequence[bytes]) -> str:
    return _some([shown(path) for path in paths])


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return ", ".join(items[:NAMED]) + more


def _count(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"
