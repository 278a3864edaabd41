"""doctor: check each layer, on the local machine and on every host, and name cause and remedy."""

import asyncio
from dataclasses import replace
from pathlib import Path

from igor_core.config import ConfigError, Project, find_project
from igor_core.doctor import local_facts
from igor_core.doctor.check import Check, any_failed, fail, ok, skip, summary, warn
from igor_core.doctor.local import debug_port_check, machine_checks
from igor_core.doctor.local_port import port_use
from igor_core.errors import IgorError, UsageError
from igor_core.events import Outcome
from igor_core.trust import is_trusted
from igor_core.verbs.doctor.host import examine
from igor_core.verbs.doctor.project import read_material
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def doctor(job: Job, context: Context) -> Outcome:
    """Check the local machine, then all hosts at once. Fails if a check fails."""
    machine = await asyncio.to_thread(local_facts.look, job.env)
    local = machine_checks(machine)
    project, about = _project(job)
    local.append(about)
    if project is None:
        return _outcome(Outcome(0), local, {})
    targets = targets_of(job, context)
    material = await asyncio.to_thread(read_material, project)
    local += [*await _trust_and_port(project), *material.checks]
    found: dict[str, list[Check]] = {}

    async def on(target: Target) -> Done:
        found[target.name] = checks = await examine(target, material)
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
    """The project, if it can be used, and the check of its config."""
    try:
        if not job.root:
            raise UsageError("no folder was given to look for a project in", "igor -C DIR doctor")
        project = find_project(Path(job.root))
    except ConfigError as error:
        return None, fail("config", error.message, "igor config check; no host was checked")
    except UsageError as error:
        hint = f"{error.hint}; no host was checked"
        return None, warn("config", error.message, hint)
    return project, ok("config", f"{project.config_file} is valid")


async def _trust_and_port(project: Project) -> list[Check]:
    use = await asyncio.to_thread(port_use, project.config.debug_port)
    return [_trust(project), debug_port_check(use)]


def _trust(project: Project) -> Check:
    try:
        if is_trusted(project):
            return ok("trust", "the project is trusted")
    except IgorError as error:
        return fail("trust", error.message, error.hint)
    return skip(
        "trust", "the project is not trusted: only typed commands act", "trust it with: igor trust"
    )
