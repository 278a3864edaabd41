"""stack: show what the project's Python processes do, on all hosts, without stopping them."""

from dataclasses import asdict
from typing import Any

from igor_core.debug.processes.model import ProbeResult, PythonProcess
from igor_core.debug.processes.stacks import HostStacks, stack_places, stack_text
from igor_core.debug.processes.unreadable import unread
from igor_core.environment import Environment
from igor_core.events import Outcome
from igor_core.output import SourceLocation, SourceTree, address
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.path_map import tree_of
from igor_core.verbs.steps.processes import look_at
from igor_core.verbs.steps.request import Job, pids_argument
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def stack(job: Job, context: Context) -> Outcome:
    """Return all stacks as data, and where they differ as places. Status 1 if any can't be read."""
    targets = targets_of(job, context)
    pids = pids_argument(job)
    found: dict[str, HostStacks] = {}

    async def on(target: Target) -> Done:
        environment = await target.connect()
        look = await look_at(target, environment, pids=pids, stacks=True)
        tree = await _tree(target, environment, context)
        found[target.name] = HostStacks(target.name, look.processes, tree)
        await _show(target, environment, look, tree)
        return _done(look)

    outcome = await each(targets, on)
    hosts = [found[target.name] for target in targets if target.name in found]
    places, dropped = stack_places(hosts)
    return Outcome(
        outcome.status,
        results=outcome.results,
        data={"hosts": [_to_wire(host) for host in hosts]},
        places=tuple(entry.to_wire() for entry in places),
        dropped=dropped,
    )


async def _tree(target: Target, environment: Environment, context: Context) -> SourceTree:
    clone = context.clones.of(target.project)
    files = clone.files.tree.tree
    if files is None:
        files = await clone.scan()
    real = context.clones.host_sync(target.project, target.entry).host_tree.real_path
    return tree_of(environment, files, ("", ""), real)


async def _show(
    target: Target, environment: Environment, look: ProbeResult, tree: SourceTree
) -> None:
    for process in look.processes:
        text = stack_text(process, tree)
        await target.job.output(target.name, "stdout", text.encode("utf-8", "replace"))
    for kind in unread(look.processes, environment.remedies):
        target.warn(kind.text, kind.hint)


def _done(look: ProbeResult) -> Done:
    if not look.processes:
        return Done("no Python process of this project is running")
    threads = sum(len(process.threads) for process in look.processes)
    missing = sum(not process.threads for process in look.processes)
    text = f"{_count(len(look.processes), 'process')}, {_count(threads, 'thread')}"
    return Done(text + (f", {missing} not read" if missing else ""), 1 if missing else 0)


def _count(number: int, word: str) -> str:
    plural = "es" if word.endswith("s") else "s"
    return f"{number} {word}{'' if number == 1 else plural}"


def _to_wire(host: HostStacks) -> dict[str, Any]:
    processes = [_process(host, process) for process in host.processes]
    return {"host": host.name, "processes": processes}


def _opened(host: HostStacks, place: SourceLocation) -> str:
    return place.path or address(host.name, place.remote)


def _process(host: HostStacks, process: PythonProcess) -> dict[str, Any]:
    """Add to each frame a "name" that an editor opens, "" if there is no file."""
    described = asdict(process)
    for thread in described["threads"]:
        for frame in thread["frames"]:
            place = host.tree.locate(frame["path"], certain=True)
            frame["name"] = _opened(host, place) if place else ""
            frame["library"] = place is None or place.library
    return described
