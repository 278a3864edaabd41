"""status: show how fresh each host of a group is, from what igor knows without asking them."""

from typing import Any

from igor_core.events import Outcome
from igor_core.paths import HostPaths
from igor_core.push.manifest import Manifest
from igor_core.trust import is_trusted
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Target, targets_of
from igor_core.worktree.files import Tree, shown


async def status(job: Job, context: Context) -> Outcome:
    """Look at the local tree; never connect to a host or wait for one."""
    targets = targets_of(job, context)
    project = targets[0].project
    tree = await context.clones.of(project).scan()
    data = {
        "project": project.name,
        "root": str(project.root),
        "trusted": is_trusted(project),
        "group": targets[0].group,
        "hosts": [_host(target, context, tree) for target in targets],
    }
    return Outcome(0, data=data)


def _host(target: Target, context: Context, tree: Tree) -> dict[str, Any]:
    remote = target.remote
    sync = context.clones.host_sync(target.project, target.entry)
    error = sync.error.message if sync.error else remote.reason
    described: dict[str, Any] = {
        "host": target.name,
        "dir": target.entry.dir,
        "connection": remote.state,
        "state": sync.state,
        "since": sync.backlog.since,
        "error": error,
        "files": None,
        "pending": None,
        "last_push": None,
        "held_back": [],
    }
    if remote.account.home:
        paths = HostPaths.of(target.entry.dir, remote.account.home, target.project.name)
        manifest = context.trees.pushed(remote.name, paths.tree)
        described |= _known(manifest, tree) if manifest else {}
    if sync.verified:
        described["pending"] = len(sync.backlog.behind)
        described["held_back"] = [shown(path) for path in sorted(sync.backlog.held_back)]
    return described


def _known(manifest: Manifest, tree: Tree) -> dict[str, Any]:
    """Return a host's row from the manifest, if nothing newer is known."""
    current = sum(
        1
        for path, file in tree.files.items()
        if (record := manifest.written.get(path)) is not None and record.is_local(file)
    )
    gone = len(set(manifest.written) - set(tree.files))
    pushed = manifest.note("pushed")
    return {
        "files": len(manifest.written),
        "pending": len(tree.files) - current + gone,
        "last_push": float(pushed) if pushed else None,
        "held_back": list(filter(None, manifest.note("held_back").split("\n"))),
    }
