"""locate: find the file that a path in output means. Never asks or waits for a host."""

from igor_core.events import Outcome
from igor_core.output import CursorTarget, location_at
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.path_map import tree_of
from igor_core.verbs.steps.request import Job, list_argument, number_argument, text_argument
from igor_core.verbs.steps.targets import Target, all_targets_of
from igor_core.worktree.files import Tree

_LAST_COLUMN = (1 << 31) - 1


async def locate(job: Job, context: Context) -> Outcome:
    """Return as data a name that an editor opens, with line and column (0: unknown), or None."""
    line = text_argument(job, "line") or ""
    column = number_argument(job, "column", 0, _LAST_COLUMN)
    targets = all_targets_of(job, context)
    host = text_argument(job, "host") or next(iter(list_argument(job, "hosts")), "")
    if host not in {target.name for target in targets}:
        host = targets[0].name
    clone = context.clones.of(targets[0].project)
    found = None
    if clone.files.tree.tree is not None:
        found = _place(line, column, host, targets, clone.files.tree.tree, context)
    if found is None or not found.name.startswith("/"):
        # The local file may be newer than the last look.
        found = _place(line, column, host, targets, await clone.scan(), context)
    return Outcome(0, data=vars(found) if found else None)


def _place(
    line: str, column: int, host: str, targets: list[Target], files: Tree, context: Context
) -> CursorTarget | None:
    # If a host is in several groups, its first group counts.
    trees = {
        target.name: tree_of(target.environment(), files, ("", ""), _real_path(target, context))
        for target in reversed(targets)
    }
    return location_at(line, column, trees, host)


def _real_path(target: Target, context: Context) -> str:
    if target.remote.state != "connected":
        return ""
    return context.clones.host_sync(target.project, target.entry).host_tree.real_path
