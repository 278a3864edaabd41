"""The hosts that a job acts on, and how to act on all of them at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core.config import Host, Project, find_project
from igor_core.config.hosts import host_names
from igor_core.config.model import DEFAULT_GROUP
from igor_core.environment import Environment, environment_of
from igor_core.errors import CANCELLED, IgorError, UsageError
from igor_core.events import Outcome, Result, ResultKind, Step, Warning
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Address, Login
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, list_argument, text_argument


@dataclass(frozen=True)
class Done:
    """The end of a host's part: one line, the status of what ran on it, and what kind of end it is.

    Without a kind the status decides between "done" and "failed".
    """

    text: str
    status: int = 0
    kind: ResultKind | None = None

    @classmethod
    def exited(cls, status: int, text: str = "") -> "Done":
        """The end of a program of the user's."""
        return cls(text, status, "exited" if status else "done")

    @property
    def result_kind(self) -> ResultKind:
        return self.kind or ("failed" if self.status else "done")


class Ended(asyncio.CancelledError):
    """A host's part was cancelled; `how` says in a few words how its program was ended."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True)
class Target:
    """One host of the job's group; `name` is how the user knows it."""

    name: str
    job: Job
    project: Project
    group: str
    entry: Host
    remote: RemoteHost

    async def connect(self) -> Environment:
        """Connect to the host; only then are its folders known. Raises HostError, NeedsLogin."""
        await self.remote.connect(Login(self.job.ask if self.job.answers else None, self.job.env))
        return self.environment()

    def environment(self) -> Environment:
        """Where the project's programs run; before the first connection without the host's home."""
        return environment_of(self.name, self.project, self.group, self.entry, self.remote)

    def step(self, text: str) -> None:
        self.job.emit(Step(self.name, text))

    def warn(self, text: str, hint: str = "") -> None:
        self.job.emit(Warning(self.name, text, hint))


def targets_of(job: Job, context: Context) -> list[Target]:
    """The project around the job's root and the hosts that its arguments choose.

    Raises UsageError, ConfigError.
    """
    if not job.root:
        raise UsageError(f"{job.verb} needs a project", "igor -C DIR …, or run it in the project")
    project = find_project(Path(job.root))
    group = project.config.group(text_argument(job, "group"))
    hosts = group.select(list_argument(job, "hosts"))
    targets = _targets(job, context, project, group.name, hosts)
    made = [target.entry.host for target in targets if target.environment().container is not None]
    _one_container_each(group.name, Counter(made))
    return targets


def all_targets_of(job: Job, context: Context) -> list[Target]:
    """The hosts of the job's group; without one those of all groups, the default group first.

    Raises UsageError, ConfigError.
    """
    if not job.root:
        raise UsageError(f"{job.verb} needs a project", "igor -C DIR …, or run it in the project")
    project = find_project(Path(job.root))
    name = text_argument(job, "group")
    groups = [project.config.group(name)] if name else project.config.host_groups.values()
    ordered = sorted(groups, key=lambda group: group.name != DEFAULT_GROUP)
    return [
        target
        for group in ordered
        for target in _targets(job, context, project, group.name, group.hosts)
    ]


def _targets(
    job: Job, context: Context, project: Project, group: str, hosts: Sequence[Host]
) -> list[Target]:
    return [
        Target(
            name,
            job,
            project,
            group,
            host,
            context.pool.host(Address(host.host, host.user, host.port)),
        )
        for name, host in zip(host_names(hosts), hosts, strict=True)
    ]


def _one_container_each(group: str, names: Counter[str]) -> None:
    """Two entries of one host and group would be one container with two trees."""
    for name, count in names.items():
        if count > 1:
            raise UsageError(
                f"the group '{group}' names the host {name} {count} times, and a project has one "
                "container for each group on a host",
                "put the other folder into a group of its own",
            )


async def each(
    targets: Sequence[Target], action: Callable[[Target], Awaitable[Done]], *, failure: int = 1
) -> Outcome:
    """Do `action` on all targets at once; a slow or dead host delays and hurts no other.

    `failure` is the status of a host where igor itself failed.
    """
    parts = [_one(target, action, failure) for target in targets]
    ended = await asyncio.gather(*parts, return_exceptions=True)
    for part in ended:
        # A mistake of the user's or a bug concerns all hosts, and all have ended by now.
        if isinstance(part, BaseException):
            raise part
    results = [part for part in ended if isinstance(part, Result)]
    if len(results) == 1:
        return Outcome(results[0].status, results=tuple(results))
    return Outcome(0 if all(result.ok for result in results) else 1, results=tuple(results))


async def _one(target: Target, action: Callable[[Target], Awaitable[Done]], failure: int) -> Result:
    started = time.monotonic()
    try:
        done = await action(target)
        result = _result(target, started, done)
    except UsageError:
        raise
    except IgorError as error:
        result = _result(target, started, Done(error.message, failure, "failed"), error.hint)
    except asyncio.CancelledError as error:
        said = error.how if isinstance(error, Ended) else ""
        target.job.emit(_result(target, started, Done(said, CANCELLED, "cancelled")))
        raise
    target.job.emit(result)
    return result


def _result(target: Target, started: float, done: Done, hint: str = "") -> Result:
    seconds = time.monotonic() - started
    return Result(target.name, done.result_kind, done.status, seconds, done.text, hint)
