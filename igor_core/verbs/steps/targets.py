"""Find the hosts that a job acts on, and act on all of them at once."""

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
    """A host's result: one line, the status of the program that ran on it, and the kind of result.

    If `kind` is empty, the status decides between "done" and "failed".
    """

    text: str
    status: int = 0
    kind: ResultKind | None = None

    @classmethod
    def exited(cls, status: int, text: str = "") -> "Done":
        """Return the result of a user's program that has exited."""
        return cls(text, status, "exited" if status else "done")

    @property
    def result_kind(self) -> ResultKind:
        return self.kind or ("failed" if self.status else "done")


class Ended(asyncio.CancelledError):
    """The job was cancelled on a host; `how` says in a few words how its program was ended."""

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
        """Connect to the host; its folders are known only then. Raises HostError, NeedsLogin."""
        ask = self.job.ask if self.job.answers else None
        await self.remote.connect(Login(ask, self.job.env, self.step))
        return self.environment()

    def environment(self) -> Environment:
        """Return where the project's programs run; the host's home is unknown until connected."""
        return environment_of(self.name, self.project, self.group, self.entry, self.remote)

    def step(self, text: str) -> None:
        self.job.emit(Step(self.name, text))

    def warn(self, text: str, hint: str = "") -> None:
        self.job.emit(Warning(self.name, text, hint))


def targets_of(job: Job, context: Context) -> list[Target]:
    """Return the hosts that the job's arguments choose, in the project around its root.

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
    """Return the hosts of the job's group; without one, of all groups, the default group first.

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
    """Refuse two entries of one host in a group: they would share a container with two trees."""
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
    """Do `action` on all targets at once; a slow or dead host does not affect the others.

    `failure` is the status of a host where igor itself failed.
    """
    parts = [_one(target, action, failure) for target in targets]
    ended = await asyncio.gather(*parts, return_exceptions=True)
    for part in ended:
        # A wrong usage or a bug concerns all hosts, and all have ended by now.
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
