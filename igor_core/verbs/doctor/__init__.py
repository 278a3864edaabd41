"""doctor: check each layer, on this machine and on every host, and name cause and remedy."""

import asyncio
from dataclasses import replace
from pathlib import Path

from igor_core.config import ConfigError, Project, find_project
from igor_core.doctor import local_facts
from igor_core.doctor.check import Check, any_failed, fail, ok, summary, warn
from igor_core.doctor.local import machine_checks
from igor_core.doctor.project import project_state
from igor_core.errors import UsageError
from igor_core.events import Outcome
from igor_core.verbs.doctor.host import examine
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def doctor(job: Job, context: Context) -> Outcome:
    """This machine first, then all hosts at once. Fails where a check does; warnings don't."""
    machine = await asyncio.to_thread(local_facts.look, job.env)
    local = machine_checks(machine)
    project, config = _project(job)
    local.append(config)
    if project is None:
        return _outcome(Outcome(0), local, {})
    targets = targets_of(job, context)
    state = await asyncio.to_thread(project_state, project)
    local += state.checks
    found: dict[str, list[Check]] = {}

    async def on(target: Target) -> Done:
        found[target.name] = checks = await examine(target, state.inputs)
        return Done(summary(checks), int(any_failed(checks)))

    outcome = await each(targets, on)
    return _outcome(outcome, local, {target.name: found[target.name] for target in targets})


def _outcome(outcome: Outcome, local: list[Check], hosts: dict[str, list[Check]]) -> Outcome:
    data = {
        "local": [check.to_wire() for check in local],
        "hosts": [
            {"host": name, "checks": [check.to_wire() for check in checks]}
            for name, checks in hosts.items()
        ],
    }
    return replace(outcome, status=int(bool(outcome.status) or any_failed(local)), data=data)


def _project(job: Job) -> tuple[Project | None, Check]:
    """The project, if there is a usable one, and the check of its config."""
    try:
        if not job.root:
            raise UsageError("no folder was given to look for a project in", "igor -C DIR doctor")
        project = find_project(Path(job.root))
    except ConfigError as error:
        hint = "igor config check; the hosts were not checked"
        return None, fail("config", error.message, hint)
    except UsageError as error:
        hint = f"{error.hint}; the hosts were not checked"
        return None, warn("config", error.message, hint)
    return project, ok("config", f"{project.config_file} is valid")
