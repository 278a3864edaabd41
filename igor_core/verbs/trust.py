"""trust: let this project's config act without a typed command, or stop letting it."""

from pathlib import Path

from igor_core.config import Project, find_project
from igor_core.events import Outcome, Step
from igor_core.trust import revoke
from igor_core.trust import trust as trust_project
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, flag


async def trust(job: Job, context: Context) -> Outcome:
    """Show what is trusted: on which hosts and in which folders the project may act."""
    project = find_project(Path(job.root))
    if flag(job, "revoke"):
        had = revoke(project)
        job.emit(Step("", f"{project.root} is {'no longer' if had else 'not'} trusted"))
        context.saves.trust_changed(str(project.root))
        return Outcome(0)
    trust_project(project)
    context.saves.trust_changed(str(project.root))
    job.emit(Step("", f"{project.root} is trusted until its config changes; it may act on:"))
    for line in _places(project):
        job.emit(Step("", line))
    return Outcome(0)


def _places(project: Project) -> list[str]:
    return [
        f"  {group.name}: {host.host}:{host.dir}/{project.name}"
        for group in project.config.host_groups.values()
        for host in group.hosts
    ]
