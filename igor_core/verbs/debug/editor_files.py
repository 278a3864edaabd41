"""vimspector, vscode: the files from which editors' debuggers know a project's hosts."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from igor_core.config import Project, find_project
from igor_core.container.names import Owner
from igor_core.debug.editors import vimspector_file, vscode_file
from igor_core.debug.editors.endpoints import Endpoint, HostKey, endpoints_of
from igor_core.debug.editors.managed import Notice
from igor_core.events import Event, Outcome, Step, Warning
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.targets import Target

Text = Callable[[Project, Sequence[Endpoint]], str]
Write = Callable[[Project, Sequence[Endpoint]], list[Notice]]

VIMSPECTOR_FILES = (vimspector_file.FILE, vimspector_file.BESIDE)
#: Text that a file holds when igor has written to it.
_OURS = b'"igor: '


async def vimspector(job: Job, context: Context) -> Outcome:
    """Write .vimspector.json, or print what it would be."""
    return await _file(
        job, context, vimspector_file.vimspector_text, vimspector_file.write_vimspector_file
    )


async def vscode(job: Job, context: Context) -> Outcome:
    """Write .vscode/launch.json, or print what it would be."""
    return await _file(job, context, vscode_file.vscode_text, vscode_file.write_vscode_file)


def write_vimspector(project: Project, ports: Mapping[HostKey, int]) -> list[Notice]:
    """Bring .vimspector.json up to date; `ports` are those in use, by group and host. Blocks."""
    return vimspector_file.write_vimspector_file(project, _endpoints(project, ports))


def write_vscode(project: Project, ports: Mapping[HostKey, int]) -> list[Notice]:
    """The same for .vscode/launch.json."""
    return vscode_file.write_vscode_file(project, _endpoints(project, ports))


async def tell_editors(target: Target, context: Context, port: int) -> None:
    """A host's program is debugged behind `port`: the files that igor has written say so.

    Vimspector's is written where it is not there if the job asks for it.
    """
    root = target.project.root
    context.debug_ports.opened(root, (target.group, target.name), port)
    asked = flag(target.job, "vimspector")
    async with context.debug_ports.writing:
        ports = context.debug_ports.of(root)
        if asked or await asyncio.to_thread(_has_ours, root, *VIMSPECTOR_FILES):
            _tell(target, await asyncio.to_thread(write_vimspector, target.project, ports))
        if await asyncio.to_thread(_has_ours, root, vscode_file.FILE):
            _tell(target, await asyncio.to_thread(write_vscode, target.project, ports))


def leave_editors(target: Target, context: Context, port: int) -> None:
    """Nothing is behind the port any more."""
    context.debug_ports.closed(target.project.root, (target.group, target.name), port)


def _tell(target: Target, notices: Sequence[Notice]) -> None:
    """Where something was done, or could not be."""
    if any(notice.kind in ("done", "failed") for notice in notices):
        for notice in notices:
            target.job.emit(_event(notice))


async def _file(job: Job, context: Context, text: Text, write: Write) -> Outcome:
    project = await asyncio.to_thread(find_project, Path(job.root))
    if flag(job, "print"):
        found = _endpoints(project, context.debug_ports.of(project.root))
        await job.output("", "stdout", os.fsencode(text(project, found)))
        return Outcome(0)
    async with context.debug_ports.writing:
        found = _endpoints(project, context.debug_ports.of(project.root))
        notices = await asyncio.to_thread(write, project, found)
    for notice in notices:
        job.emit(_event(notice))
    return Outcome(1 if any(notice.kind == "failed" for notice in notices) else 0)


def _endpoints(project: Project, ports: Mapping[HostKey, int]) -> list[Endpoint]:
    config = project.config
    owners = {name: Owner(config.user, project.name, name) for name in config.host_groups}
    return endpoints_of(project, {name: owner.container for name, owner in owners.items()}, ports)


def _event(notice: Notice) -> Event:
    if notice.kind in ("warning", "failed"):
        return Warning("", notice.text, notice.hint)
    return Step("", notice.text)


def _has_ours(root: Path, *names: str) -> bool:
    """Whether one of the files has something of igor's."""
    for name in names:
        try:
            if _OURS in (root / name).read_bytes():
                return True
        except OSError:
            continue
    return False
