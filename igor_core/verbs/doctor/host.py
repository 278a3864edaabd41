"""doctor's checks of one host: connection, what the script found, engine, image, container."""

import asyncio
from functools import partial

from igor_core.container.engine_errors import engine_error
from igor_core.doctor import ask
from igor_core.doctor.check import Check, fail, skip, warn
from igor_core.doctor.debugger import exposure_checks, host_exposure_check
from igor_core.doctor.engine import engine_checks, gpu_check
from igor_core.doctor.facts import Engine, HostFacts, Link
from igor_core.doctor.host import host_checks, link_checks, space_check
from igor_core.doctor.ports import port_checks
from igor_core.doctor.run_args import Wanted, wanted
from igor_core.environment import Environment
from igor_core.errors import IgorError, UsageError
from igor_core.runtime import Runtime
from igor_core.ssh.unsupported import unsupported
from igor_core.verbs.doctor.container import container_checks
from igor_core.verbs.doctor.debug import debug_checks
from igor_core.verbs.doctor.project import Material
from igor_core.verbs.steps.targets import Target


async def examine(target: Target, material: Material) -> list[Check]:
    """All checks of one host. If the connection fails, its error is the only check."""
    passed_over = "; ".join(await asyncio.to_thread(unsupported, target.remote.address))
    text = f"igor ignores {passed_over}"
    try:
        environment = await target.connect()
        link = await ask.ping(target.remote)
        checks = await _behind(link, target, environment, material)
    except UsageError:
        raise
    except IgorError as error:
        # An ignored option may be the reason.
        about_config = [warn("ssh_config", text)] if passed_over else []
        return [fail("ssh", error.message, error.hint), *about_config]
    about_config = [skip("ssh_config", text)] if passed_over else []
    return [*link_checks(link), *about_config, *checks]


async def _behind(
    link: Link, target: Target, environment: Environment, material: Material
) -> list[Check]:
    """The checks over a working connection; the questions are asked at once."""
    remote, paths, container = target.remote, environment.paths, environment.container
    if container is None:
        facts, about = await asyncio.gather(
            ask.look(remote, paths, "", wanted([])), debug_checks(target, environment)
        )
        return [*host_checks(facts, link, containers=False), host_exposure_check(), *about]
    runtime, asked = container.runtime, wanted(target.project.config.docker_run_args)
    facts, engine = await asyncio.gather(
        ask.look(remote, paths, runtime.word, asked), ask.engine(remote, runtime)
    )
    checks = [
        *host_checks(facts, link, containers=True),
        *_engine(facts, engine, runtime, asked, container.owner.container),
        *exposure_checks(asked, target.project.config.debug_port),
    ]
    if engine.status != 0:
        return checks
    space, about = await asyncio.gather(
        ask.space_at(remote, engine.data_root), container_checks(container, material)
    )
    debugger = await debug_checks(target, environment, runs=_container_runs(about))
    space_left = space_check("engine's disk", "images and containers", space)
    return [*checks, space_left, *about, *debugger]


def _container_runs(checks: list[Check]) -> bool:
    """Also one that is old may."""
    return any(
        check.name == "container" and (check.state == "ok" or " is old " in check.text)
        for check in checks
    )


def _engine(
    facts: HostFacts, engine: Engine, runtime: Runtime, asked: Wanted, own: str
) -> list[Check]:
    checks = engine_checks(engine, facts.access, partial(engine_error, runtime))
    if asked.gpu:
        checks.append(gpu_check(facts.gpu, engine, asked.gpu))
    return checks + port_checks(asked, facts.listening, engine.containers, own)
