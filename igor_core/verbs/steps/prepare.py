"""Prepare a host before a program runs: push the local code, and have the container run."""

from collections.abc import Sequence

from igor_core.commands.table import verb_named
from igor_core.container.plan import ContainerPlan, plan_container
from igor_core.environment import Environment
from igor_core.errors import HostError
from igor_core.push.report import PushReport
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.container import Site, image_lock, set_up
from igor_core.verbs.steps.named_files import named_files
from igor_core.verbs.steps.path_map import find_places
from igor_core.verbs.steps.pusher import Pusher, summary, warn_of_held_back
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Target
from igor_core.worktree.files import shown


async def make_ready(
    target: Target, context: Context, pusher: Pusher, argv: Sequence[str], *, setup: bool
) -> Environment:
    """Connect, push and have the container run, so that the command `argv` can run.

    Raises HostError if a file that the command names is held back, or if no container runs and
    `setup` is false. Does not replace a container in use.
    """
    environment = await target.connect()
    if not flag(target.job, "no_push"):
        report = await pusher.make_fresh(target)
        _refuse_held_back(target, report, argv, environment)
        warn_of_held_back(target, report)
        if report.sent or report.deleted:
            target.step(summary(report))
    await find_places(target, environment, pusher)
    if environment.container is not None:
        site = Site(target, environment.container, await pusher.tree(target))
        await _container_runs(site, context, setup=setup)
    elif (error := await environment.why_down()) is not None:
        raise error
    return environment


def _refuse_held_back(
    target: Target, report: PushReport, argv: Sequence[str], environment: Environment
) -> None:
    """Raise HostError if a file that the command names differs from the local one."""
    named = named_files(argv, [root.rstrip("/") for root in environment.roots])
    for item in report.held_back:
        if item.path in named:
            raise HostError(
                f"{target.name}: {shown(item.path)} differs on the host ({item.reason}); "
                "nothing was run",
                f"see igor diff; to run the host's version: {_command(target)} --no-push …",
            )


async def _container_runs(site: Site, context: Context, *, setup: bool) -> None:
    target = site.target
    plan = plan_container(await site.environment.inspect(), site.spec, site.runtime)
    if plan.usable:
        _say_if_old(target, plan)
    elif setup:
        async with image_lock(target, site.environment, context):
            target.step(await set_up(site))
    else:
        raise HostError(
            f"no container of this project runs on {target.name}: {plan.reason}",
            f"igor docker setup, or {_command(target)} --setup …",
        )


def _command(target: Target) -> str:
    """Return the terminal's command for the running verb."""
    return f"igor {verb_named(target.job.verb).words}"


def _say_if_old(target: Target, plan: ContainerPlan) -> None:
    if plan.action == "replace":
        target.warn(f"the container is old: {plan.reason}", "renew it: igor docker setup")


def how_it_ended(target: Target, ended: str) -> str:
    """Say in words how igor ended a program: with which signal, or "" if it had ended before."""
    if ended == "alive":
        target.warn(
            "the command could not be killed and still runs on the host", "igor docker clean"
        )
        return "still runs there"
    return f"ended by {ended}" if ended not in ("", "gone") else ""


def say_how_it_ended(target: Target, ended: str) -> None:
    if how := how_it_ended(target, ended):
        target.step(how)
