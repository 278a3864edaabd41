"""Shared by build, setup and clean: the project's image and container on each host."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from igor_core.container.container import bring_up
from igor_core.container.context import context_list
from igor_core.container.hidden import hidden_by_mount
from igor_core.container.image import build_command, build_error, plan_image
from igor_core.container.inspection import Inspection
from igor_core.container.plan import ContainerPlan, plan_container
from igor_core.container.spec import Spec
from igor_core.container.stamp import Inputs, read_inputs
from igor_core.environment import ContainerEnvironment, Environment
from igor_core.errors import HostError, UsageError
from igor_core.output.line_splitter import plain
from igor_core.paths import HostPaths
from igor_core.push.transport.rsync.files import hashes
from igor_core.runtime import Runtime
from igor_core.ssh.process import Command
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.path_map import find_places
from igor_core.verbs.steps.pusher import Pusher, summary, warn_of_held_back
from igor_core.verbs.steps.request import Job, confirm, flag
from igor_core.verbs.steps.targets import Target
from igor_core.worktree.files import Tree, shown

TAIL_BYTES = 8000
NAMED = 8


def image_lock(
    target: Target, environment: ContainerEnvironment, context: Context
) -> AbstractAsyncContextManager[None]:
    """Return the lock to hold while the image or the container is made or removed."""
    return context.image_lock.take(target.remote, environment.owner.image, target.step)


@dataclass(frozen=True)
class Site:
    """A host that has the code, with the container that is to be built and to run on it."""

    target: Target
    environment: ContainerEnvironment
    tree: Tree

    @property
    def runtime(self) -> Runtime:
        return self.environment.runtime

    @property
    def paths(self) -> HostPaths:
        return self.environment.paths

    @property
    def spec(self) -> Spec:
        return self.environment.spec


async def prepare(target: Target, pusher: Pusher) -> Site:
    """Push; return the container that the config asks for, with the pushed tree."""
    environment = container_of(await target.connect(), target.job)
    await pushed(target, pusher)
    await find_places(target, environment, pusher)
    return Site(target, environment, await pusher.tree(target))


async def pushed(target: Target, pusher: Pusher) -> str:
    """Push; name paths that are held back, but go on. Return the push in one line."""
    report = await pusher.make_fresh(target)
    warn_of_held_back(target, report)
    target.step(summary(report))
    return summary(report)


async def set_up(site: Site) -> str:
    """Build if needed, then keep, start, create or replace the container; return what was done.

    The caller holds the image lock.
    """
    target, spec = site.target, site.spec
    notice = spec.owner.notice()
    if notice:
        target.step(notice)
    found, _ = await asyncio.gather(
        site.environment.inspect(), site.environment.renew_helper_files()
    )
    inspection, image = await build_if_needed(site, found)
    plan = plan_container(inspection, spec, site.runtime)
    if plan.action == "keep":
        return f"{image}; container {spec.owner.container} runs"
    if plan.action == "replace" and plan.in_use and not flag(target.job, "replace"):
        await _ask_to_replace(target, plan, spec)
    await bring_up(target.remote, site.runtime, spec, inspection, plan)
    done = {"start": "started", "create": "created", "replace": "replaced"}[plan.action]
    why = "" if plan.action == "create" else f" ({plan.reason})"
    return f"{image}; container {spec.owner.container} {done}{why}"


async def _ask_to_replace(target: Target, plan: ContainerPlan, spec: Spec) -> None:
    if plan.processes is None:
        running = "what runs in it can't be listed"
    else:
        names = ", ".join(plan.processes[:NAMED])
        running = f"these run in it: {names}{' …' if len(plan.processes) > NAMED else ''}"
    question = f"{spec.owner.container} is to be replaced ({plan.reason}), but {running}."
    if not await confirm(target.job, target.name, f"{question} Replace it?"):
        raise HostError(question + " It was left alone", "end them, or: igor docker setup --force")


async def build_if_needed(site: Site, inspection: Inspection) -> tuple[Inspection, str]:
    """Build if needed; return the host's state after that, and one line about the image."""
    target, config = site.target, site.target.project.config
    dockerfile = target.project.dockerfile()
    inputs = await asyncio.to_thread(
        read_inputs, target.project.root, dockerfile, config.docker_rebuild_files,
        config.docker_build_args, site.tree.files,
    )  # fmt: skip
    if inputs.missing:
        target.warn(f"docker_rebuild_files: no pushed file matches {', '.join(inputs.missing)}")
    rebuild = flag(target.job, "rebuild")
    no_cache = flag(target.job, "no_cache")
    plan = plan_image(inspection.image, inputs, site.spec.owner, force=rebuild or no_cache)
    target.step(plan.text)
    if plan.action == "keep":
        return inspection, plan.text
    await _check_inputs_there(site, inputs)
    await _build(site, dockerfile, inputs, no_cache)
    built = await site.environment.inspect()
    await _warn_of_hidden(site, built)
    return built, f"image built ({inputs.stamp[:4]}…)"


async def _check_inputs_there(site: Site, inputs: Inputs) -> None:
    """Raise HostError if the host's build inputs differ from the local ones.

    The image is built from the host's files and stamped with the local ones: if they differed, an
    image with the wrong content would look up to date for ever.
    """
    # A dockerfile that is not pushed at all has an error of its own.
    ours = {path: inputs.contents[path] for path in inputs.contents.keys() & site.tree.files}
    theirs = await hashes(site.target.remote, site.paths.tree, ours)
    others = [shown(path) for path in sorted(ours) if theirs.get(path) != ours[path]]
    if others:
        raise HostError(
            f"nothing was built: {', '.join(others[:NAMED])} on {site.target.name} "
            "differs from the local file",
            "try again if you have just saved it; to overwrite the host's: igor push --force",
        )


async def _build(site: Site, dockerfile: str, inputs: Inputs, no_cache: bool) -> None:
    target = site.target
    # In a thread: thousands of files and a long .dockerignore take a while.
    context = await asyncio.to_thread(
        context_list, target.project.root, dockerfile, site.tree.files
    )
    command = build_command(
        site.runtime,
        site.spec.owner,
        inputs,
        tree=site.paths.tree,
        dockerfile=dockerfile,
        args=target.project.config.docker_build_args,
        context=context,
        no_cache=no_cache,
    )
    tail = b""
    async with target.remote.process(Command(command.argv, cwd="/", env=command.env)) as process:
        await process.write(command.input)
        process.write_eof()
        while (item := await process.read()) is not None:
            stream, data = item
            tail = (tail + data)[-TAIL_BYTES:]
            await target.job.output(target.name, stream, data, joined=True)
    if process.lost:
        why = f": {target.remote.protocol_error}" if target.remote.protocol_error else ""
        raise HostError(f"the connection to {target.name} was lost during the build{why}",
                        "the old image, if there was one, is as it was; try again")  # fmt: skip
    if process.status != 0:
        said = "\n".join(map(plain, tail.decode("utf-8", "replace").splitlines()))
        raise build_error(site.runtime, process.status, said)


async def _warn_of_hidden(site: Site, built: Inspection) -> None:
    """Warn, once for each build, of files in the image that the mounted code hides."""
    if built.image is None:
        return
    hidden = await hidden_by_mount(
        site.target.remote, site.runtime, built.image.id, site.spec.workspace, site.tree.files
    )
    if hidden:
        names = ", ".join(hidden[:NAMED]) + (" …" if len(hidden) > NAMED else "")
        site.target.warn(
            f"the code mounted at {site.spec.workspace} hides files of the image: {names}",
            "let the dockerfile put them elsewhere, /opt or /venv",
        )


def container_of(environment: Environment, job: Job) -> ContainerEnvironment:
    """Return the container that the job is about. Raises UsageError if igor keeps none."""
    if environment.container is None:
        raise UsageError(
            f'{job.verb}: "runtime" is "none" in {environment.project.config_file}, so there '
            "are no images and containers",
            'set "runtime" to "docker" or "podman"',
        )
    return environment.container
