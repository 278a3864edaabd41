"""One host's part of doctor: ask for the connection, the host, engine, container and Python."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from igor_core.container.engine_errors import engine_error
from igor_core.container.stamp import Inputs
from igor_core.doctor.check import Check, fail, skip, warn
from igor_core.doctor.container import ContainerState, container_state
from igor_core.doctor.debugpy import PROBE, debug_python, debugpy_check
from igor_core.doctor.engine import engine_checks, gpu_check
from igor_core.doctor.engine_facts import Engine, commands, engine_facts
from igor_core.doctor.host import host_checks, space_check
from igor_core.doctor.host_facts import HostFacts, HostLink, parse, space
from igor_core.doctor.host_script import HOST_SCRIPT, SPACE_SCRIPT
from igor_core.doctor.ports import (
    exposure_checks,
    host_exposure_check,
    listening_programs,
    port_checks,
)
from igor_core.doctor.run_args import RunArgs, read_run_args
from igor_core.environment import ContainerEnvironment, Environment
from igor_core.errors import HostError, IgorError, UsageError
from igor_core.runtime import Runtime
from igor_core.ssh.process import Completed
from igor_core.ssh.unsupported import unsupported
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.targets import Target

PINGS = 3
PING_SECONDS = 10.0
SCRIPT_SECONDS = 60.0
ENGINE_SECONDS = 30.0


async def examine(target: Target, inputs: Inputs | None) -> list[Check]:
    """All checks of one host. Where the connection fails, its error is all there is to say."""
    ignored = "; ".join(await asyncio.to_thread(unsupported, target.remote.address))
    text = f"igor ignores {ignored}"
    try:
        environment = await target.connect()
        link = await _ping(target)
        checks = await _connected(link, target, environment, inputs)
    except UsageError:
        raise
    except IgorError as error:
        # An ignored option may be why.
        about_config = [warn("ssh_config", text)] if ignored else []
        return [fail("ssh", error.message, error.hint), *about_config]
    return [*checks, *([skip("ssh_config", text)] if ignored else [])]


async def _connected(
    link: HostLink, target: Target, environment: Environment, inputs: Inputs | None
) -> list[Check]:
    """Check what is behind a connection that works; questions go out at once."""
    config, base, container = target.project.config, environment.paths.base, environment.container
    by_rsync = config.transport == "rsync"
    if container is None:
        facts, debugger = await asyncio.gather(
            _look(target, environment, "", read_run_args([])), _debugpy(target, environment)
        )
        checks = host_checks(facts, link, base, containers=False, by_rsync=by_rsync)
        return [*checks, host_exposure_check(), *debugger]
    runtime, asked = container.runtime, read_run_args(config.docker_run_args)
    facts, engine = await asyncio.gather(
        _look(target, environment, runtime.word, asked), _engine(target, runtime)
    )
    checks = host_checks(facts, link, base, containers=True, by_rsync=by_rsync)
    checks += engine_checks(engine, facts, partial(engine_error, runtime))
    if asked.gpu:
        checks.append(gpu_check(facts, engine, asked.gpu))
    programs = listening_programs(facts.listening) if facts.listening else None
    checks += port_checks(asked, engine.ports, programs, container.owner.container)
    checks += exposure_checks(asked, config.debug_port)
    if engine.status != 0:
        return checks
    return checks + await _in_engine(target, engine, container, inputs)


async def _in_engine(
    target: Target, engine: Engine, container: ContainerEnvironment, inputs: Inputs | None
) -> list[Check]:
    """The engine's disk, the project's image and container, and debugpy in it."""
    look = ["sh", "-c", SPACE_SCRIPT, "igor", engine.data_root]
    df, state = await asyncio.gather(
        _run(target, look, PING_SECONDS), _container(container, inputs)
    )
    disk = space_check("engine's disk", space(df.stdout.decode("utf-8", "replace")))
    debugger = await _debugpy(target, container) if state.runs else []
    return [disk, *state.checks, *debugger]


async def _ping(target: Target) -> HostLink:
    """Time a few small commands and keep the quickest. HostError when one is not answered."""
    remote, took = target.remote, []
    for _again in range(PINGS):
        started = time.monotonic()
        if (await _run(target, ["true"], PING_SECONDS)).status == TIMED_OUT:
            raise HostError(f"{remote.name} no longer answers", "try again in half a minute")
        took.append(time.monotonic() - started)
    address, port, _login = remote.endpoint
    login = f"{remote.account.user}@{address}{f', port {port}' if port != 22 else ''}"
    return HostLink(login, remote.has_supervisor, remote.why_no_supervisor, min(took))


async def _look(target: Target, environment: Environment, engine: str, asked: RunArgs) -> HostFacts:
    """Run the script. HostError when the connection is lost or the host is stuck."""
    paths = environment.paths
    wishes = [engine, "yes" if asked.ports else "", "yes" if asked.gpu else ""]
    argv = ["sh", "-c", HOST_SCRIPT, "igor", paths.base, paths.tree, paths.private, *wishes]
    done = await _run(target, argv, SCRIPT_SECONDS)
    if done.status == TIMED_OUT:
        raise HostError(
            f"the checks on {target.remote.name} did not end within {SCRIPT_SECONDS:.0f} s",
            f"does a file system hang? ssh {target.remote.name} df",
        )
    return parse(done.stdout)


async def _engine(target: Target, runtime: Runtime) -> Engine:
    """Ask the engine about itself, all at once."""
    results = await asyncio.gather(
        *(_run(target, argv, ENGINE_SECONDS) for argv in commands(runtime))
    )
    return engine_facts(runtime, *results)


async def _container(container: ContainerEnvironment, inputs: Inputs | None) -> ContainerState:
    try:
        spec, inspection = container.spec, await container.inspect()
    except IgorError as error:
        return ContainerState((fail("container", error.message, error.hint),))
    return container_state(inspection, spec, container.runtime, inputs)


async def _debugpy(target: Target, environment: Environment) -> list[Check]:
    """Ask the project's Python whether it has debugpy. One round trip."""
    try:
        done = await environment.run(python_for(target).runs(["-c", PROBE]))
    except IgorError:
        return []  # another check says why
    found = debug_python(done.stdout.decode("utf-8", "replace"))
    return [debugpy_check(found, environment.where)]


TIMED_OUT = 124  # as timeout(1) has it


async def _run(target: Target, argv: Sequence[str], seconds: float) -> Completed:
    """Run a command; where it takes too long, it has the status TIMED_OUT."""
    try:
        return await asyncio.wait_for(target.remote.run(argv), seconds)
    except asyncio.TimeoutError:
        return Completed(TIMED_OUT, b"", f"no answer within {seconds:.0f} s".encode())
