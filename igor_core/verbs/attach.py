"""attach: let a debugger attach to a running process, which runs on after the debugger detaches."""

import asyncio

from igor_core.debug.keeper_notes import ListeningProgram
from igor_core.debug.port.attach_listener import AttachListener
from igor_core.debug.processes.attach_plan import SAFE_GDB, is_dangerous, way_to_attach
from igor_core.debug.processes.model import Means, PythonProcess
from igor_core.debug.processes.probe import ADAPTER
from igor_core.environment import Environment
from igor_core.environment.kill_inside import ENDING
from igor_core.errors import HostError, UsageError
from igor_core.events import Outcome
from igor_core.ssh.process import Command
from igor_core.verbs.debug.checks import warn_of_users
from igor_core.verbs.debug.debuggee import debuggee, open_port
from igor_core.verbs.debug.tell_editors import leave_editors
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.processes import look_at
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.request import Job, confirm, flag, pid_argument, text_argument
from igor_core.verbs.steps.targets import Done, Target, each, targets_of

# How long a process may take to end after its session has ended.
END_SECONDS = 5.0


async def attach(job: Job, context: Context) -> Outcome:
    """Open a port for debuggers to attach through, until the last one has detached."""
    targets = targets_of(job, context)
    pid = pid_argument(job)
    if pid is None:
        raise UsageError("attach: to which process?", "igor attach lists them")
    target = await _target(job, targets, pid)

    async def on(target: Target) -> Done:
        environment = await target.connect()
        process = await _process(target, environment, pid)
        way = way_to_attach(process, environment.where)
        await _check_is_safe(target, process)
        warn_of_users(target, environment)
        target.step(f"{process.command}: attaches by {way}")
        return await _stay(target, environment, process, context)

    return await each([target], on)


async def _target(job: Job, targets: list[Target], pid: int) -> Target:
    """Return the host that the job names, else the only one with such a process."""
    name = text_argument(job, "host")
    named = [target for target in targets if name in (target.name, target.entry.host)]
    if name and not named:
        known = ", ".join(target.name for target in targets)
        raise UsageError(f"attach: {name!r} is no host of the group", f"its hosts: {known}")
    found = named or targets
    if len(found) == 1:
        return found[0]
    there = [target for target in found if await _has(target, pid)]
    if len(there) == 1:
        return there[0]
    names = ", ".join(target.name for target in there or found)
    what = "several hosts have" if there else "no host has"
    raise UsageError(
        f"attach: {what} a Python process {pid} of this project: {names}",
        f"igor attach --host {found[0].entry.host} {pid}" if there else "igor attach lists them",
    )


async def _has(target: Target, pid: int) -> bool:
    try:
        return bool((await look_at(target, await target.connect(), pids=[pid])).processes)
    except HostError as error:
        target.warn(error.message, error.hint)
        return False


async def _process(target: Target, environment: Environment, pid: int) -> PythonProcess:
    look = await look_at(target, environment, pids=[pid], means=True)
    if not look.processes:
        raise HostError(
            f"there is no Python process {pid} of this project {environment.where}",
            "igor attach lists them",
        )
    return look.processes[0]


async def _check_is_safe(target: Target, process: PythonProcess) -> None:
    """Raise HostError if gdb may kill the process and the user does not accept that risk."""
    if not is_dangerous(process) or flag(target.job, "allow_old_gdb"):
        return
    assert process.means is not None
    text = f"gdb {process.means.gdb_version} can kill process {process.pid} when it attaches"
    if not await confirm(target.job, target.name, f"{text}. Attach anyway?"):
        raise HostError(
            f"{text}; not attached", f"gdb {SAFE_GDB} in the image, or: igor attach --force"
        )


async def _stay(
    target: Target, environment: Environment, process: PythonProcess, context: Context
) -> Done:
    name = f"attached {environment.identity} {process.pid}"
    if not await _is_free(target, context, name):
        raise HostError(
            f"a debugger is already attached to process {process.pid} on {target.name}",
            "let it leave first: igor jobs, igor cancel",
        )
    assert process.means is not None
    command = _adapter(target, environment, process.means)

    def report(text: str) -> None:
        target.warn(f"a debugger could not be connected to debugpy: {text}")

    listener = AttachListener(target.remote, lambda: command, process.pid, report)
    with context.debug_sessions.session(target.remote.name, name):
        try:
            listener.warm()
            await _tell(target, environment, listener, process, context)
            await listener.until_left()
            ends = listener.ends
        finally:
            leave_editors(target, context, listener.port)
            await asyncio.shield(listener.close())
    runs = await _runs(target, environment, process.pid)
    deadline = asyncio.get_running_loop().time() + END_SECONDS
    while runs and ends and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.2)
        runs = await _runs(target, environment, process.pid)
    return Done(f"process {process.pid} {'runs on' if runs else 'has ended'}")


async def _runs(target: Target, environment: Environment, pid: int) -> bool:
    return bool((await look_at(target, environment, pids=[pid])).processes)


async def _is_free(target: Target, context: Context, name: str) -> bool:
    """Wait for a debugger that is detaching; return whether none is left."""
    for _time in range(30):
        if not context.debug_sessions.has(target.remote.name, name):
            return True
        await asyncio.sleep(0.1)
    return False


def _adapter(target: Target, environment: Environment, means: Means) -> Command:
    """Return the command that runs debugpy's adapter on its standard input and output."""
    words = python_for(target).runs(ADAPTER.argv())
    argv = ["sh", "-c", _WITH_DEBUGPY, "igor", means.debugpy, *words]
    # The adapter takes INT for ctrl-c in its debugger.
    return environment.command(argv, signals=ENDING[1:])


# debugpy may be in igor's own folder, where Python does not look.
_WITH_DEBUGPY = """\
PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$1
export PYTHONPATH
shift
exec "$@"
"""


async def _tell(
    target: Target,
    environment: Environment,
    listener: AttachListener,
    process: PythonProcess,
    context: Context,
) -> None:
    await open_port(target, context, listener)
    assert process.means is not None
    program = ListeningProgram(
        ident=f"process-{process.pid}",
        pid=process.pid,
        python=process.means.python,
        root=await environment.real_root(),
        command=process.argv[1:],
    )
    target.job.emit(debuggee(target, listener.port, program, process=process.pid))
