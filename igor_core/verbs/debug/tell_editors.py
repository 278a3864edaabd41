"""vimspector, vscode: the files that tell editors' debuggers about a project's hosts."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from igor_core.config import Project, find_project
from igor_core.container.names import Owner
from igor_core.debug.editors.endpoints import Endpoint, HostKey, endpoints_of
from igor_core.debug.editors.files import VIMSPECTOR, VSCODE, EditorFile, Notice
from igor_core.events import Event, Outcome, Step, Warning
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.targets import Target

#: Text that a file has if igor has written into it.
_OURS = b'"igor: '


async def vimspector(job: Job, context: Context) -> Outcome:
    """Write .vimspector.json, or print it."""
    return await _file(job, context, VIMSPECTOR)


async def vscode(job: Job, context: Context) -> Outcome:
    """Write .vscode/launch.json, or print it."""
    return await _file(job, context, VSCODE)


async def tell_editors(target: Target, context: Context, port: int) -> None:
    """Write `port`, behind which a host's program is debugged, into the files that igor wrote.

    If the job asks for it, Vimspector's file is created too.
    """
    project = target.project
    context.debug_ports.opened(project.root, (target.group, target.name), port)
    asked = flag(target.job, "vimspector")
    async with context.debug_ports.writing:
        endpoints = _endpoints(project, context.debug_ports.of(project.root))
        for file in (VIMSPECTOR, VSCODE):
            wanted = asked and file is VIMSPECTOR
            if wanted or await asyncio.to_thread(_has_ours, project.root / file.name):
                notice = await asyncio.to_thread(file.update, project, endpoints)
                if notice.kind != "same":
                    target.job.emit(_event(notice))


def leave_editors(target: Target, context: Context, port: int) -> None:
    """Forget the port: nothing is behind it any more."""
    context.debug_ports.closed(target.project.root, (target.group, target.name), port)


async def _file(job: Job, context: Context, file: EditorFile) -> Outcome:
    project = await asyncio.to_thread(find_project, Path(job.root))
    if flag(job, "print"):
        found = _endpoints(project, context.debug_ports.of(project.root))
        await job.output("", "stdout", os.fsencode(file.text(project, found)))
        return Outcome(0)
    async with context.debug_ports.writing:
        found = _endpoints(project, context.debug_ports.of(project.root))
        notice = await asyncio.to_thread(file.update, project, found)
    job.emit(_event(notice))
    return Outcome(1 if notice.kind == "failed" else 0)


def _endpoints(project: Project, ports: Mapping[HostKey, int]) -> list[Endpoint]:
    config = project.config
    owners = {name: Owner(config.user, project.name, name) for name in config.host_groups}
    return endpoints_of(project, {name: owner.container for name, owner in owners.items()}, ports)


def _event(notice: Notice) -> Event:
    if notice.kind == "failed":
        return Warning("", notice.text, notice.hint)
    return Step("", notice.text)


def _has_ours(path: Path) -> bool:
    try:
        return _OURS in path.read_bytes()
    except OSError:
        return False
