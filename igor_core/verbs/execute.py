"""exec: run a command in the project's container on each host, with its output as it comes."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from igor_core.container.exec import ExecCommand, exec_command, shell_line
from igor_core.container.inspection import inspect
from igor_core.container.plan import ContainerPlan, plan_container
from igor_core.errors import HostError, UsageError
from igor_core.events import Outcome
from igor_core.paths import HostPaths
from igor_core.push.files import shown
from igor_core.push.report import Report
from igor_core.runtime import Runtime
from igor_core.ssh.process import Command, Process
from igor_core.verbs.containers import Site, set_up, spec_for, turn
from igor_core.verbs.context import Context
from igor_core.verbs.job import Job, flag, list_argument, text_argument
from igor_core.verbs.programs import named_files
from igor_core.verbs.push import Pusher, summary, warn_of_held_back
from igor_core.verbs.targets import Done, Target, each, targets_of

# Igor's own failure, as ssh has it; the command has all other statuses to itself.
FAILURE = 255
# What the engine's own client ends with when engine or container go away under the command.
ENGINE_STATUSES = (1, 125, 137, 255)


async def execute(job: Job, context: Context) -> Outcome:
    """Make the hosts current, then run. With one host its status is the job's."""
    argv = _argv(job)
    targets = targets_of(job, context)
    pusher = Pusher(job, context, targets[0])
    with_stdin = flag(job, "stdin") and len(targets) == 1

    async def on(target: Target) -> Done:
        command = await _made_ready(target, context, pusher, argv)
        stdin = job.stdin(target.name) if with_stdin else None
        status = await _run(target, command, stdin)
        if status in ENGINE_STATUSES and target.runtime is not None:
            await _container_still_runs(target, target.runtime)
        return Done("", status)

    return await each(targets, on, failure=FAILURE)


def _argv(job: Job) -> Sequence[str]:
    line, argv = text_argument(job, "shell"), list_argument(job, "argv")
    if bool(line) == bool(argv):
        raise UsageError("exec: which command?", "igor docker exec python train.py")
    return shell_line(line) if line else argv


async def _made_ready(
    target: Target, context: Context, pusher: Pusher, argv: Sequence[str]
) -> ExecCommand:
    """The code is there and the container runs; what is to be run there."""
    paths = await target.connect()
    if not flag(target.job, "no_push"):
        report = await pusher.make_fresh(target)
        _refuse_held_back(target, report, argv, paths)
        warn_of_held_back(target, report)
        if report.sent or report.deleted:
            target.step(summary(report))
    if target.runtime is not None:
        await _container_runs(target, context, paths, pusher)
    return exec_command(target.runtime, spec_for(target, paths), argv)


def _refuse_held_back(
    target: Target, report: Report, argv: Sequence[str], paths: HostPaths
) -> None:
    """HostError where the file that is to be run there is not the one that is here."""
    roots = (paths.tree, target.project.config.workspace.rstrip("/"))
    named = named_files(argv, roots)
    for item in report.held_back:
        if item.path in named:
            raise HostError(
                f"{target.name}: {shown(item.path)} is not there as it is here ({item.reason}); "
                "nothing was run",
                "see igor diff; to run what is there: igor docker exec --no-push …",
            )


async def _container_runs(
    target: Target, context: Context, paths: HostPaths, pusher: Pusher
) -> None:
    """HostError where no container runs and `setup` isn't asked for. A used one is not replaced."""
    assert target.runtime is not None
    site = Site(target, target.runtime, paths, await pusher.tree(target), spec_for(target, paths))
    plan = plan_container(await site.inspect(), site.spec, site.runtime)
    if plan.usable:
        _say_if_old(target, plan)
    elif flag(target.job, "setup"):
        async with turn(target, context):
            target.step(await set_up(site))
    else:
        raise HostError(
            f"no container of this project runs on {target.name}: {plan.reason}",
            "igor docker setup, or igor docker exec --setup …",
        )


def _say_if_old(target: Target, plan: ContainerPlan) -> None:
    if plan.action == "replace":
        target.warn(f"the container is old: {plan.reason}", "renew it: igor docker setup")


async def _run(target: Target, command: ExecCommand, stdin: AsyncIterator[bytes] | None) -> int:
    """The exit status. Leaving early, by cancel, ends the command inside the container too."""
    remote = Command(
        command.argv, cwd=command.cwd or "/", env=command.env,
        announce=command.announce, end=command.end,
    )  # fmt: skip
    async with target.remote.process(remote) as process:
        feeding = asyncio.ensure_future(_feed(process, stdin))
        try:
            while (item := await process.read()) is not None:
                await target.job.output(target.name, *item)
        except asyncio.CancelledError:
            await asyncio.shield(process.end())
            _say_how_it_ended(target, process.ended)
            raise
        finally:
            feeding.cancel()
    if process.lost:
        raise HostError(
            f"the connection to {target.name} was lost while the command ran",
            "the command is ended there within 30 s",
        )
    if process.error:
        raise HostError(f"{target.name}: {process.error}")
    return process.status


def _say_how_it_ended(target: Target, ended: str) -> None:
    if ended == "alive":
        target.warn("the command could not be ended and still runs there", "igor docker clean")
    elif ended.isupper():
        target.step(f"ended by {ended}")


async def _container_still_runs(target: Target, runtime: Runtime) -> None:
    """HostError where the command did not fail by itself but lost its container."""
    paths = HostPaths.of(target.entry.dir, target.remote.account.home, target.project.name)
    found = await inspect(target.remote, runtime, spec_for(target, paths).owner)
    if found.container is None or found.container.status != "running":
        raise HostError(
            f"the container on {target.name} ended while the command ran", "igor docker setup"
        )


async def _feed(process: Process, stdin: AsyncIterator[bytes] | None) -> None:
    if stdin is not None:
        async for data in stdin:
            await process.write(data)
    process.write_eof()
