"""A program that waits for its debugger, as users, editors and clients are told about it."""

from igor_core.config.model import DEFAULT_GROUP
from igor_core.debug.editors.endpoints import usual_port
from igor_core.debug.keeper_notes import ListeningProgram
from igor_core.debug.port.listener import DebugListener
from igor_core.errors import HostError
from igor_core.events import Debuggee, LostDebuggee
from igor_core.verbs.debug.checks import say_port
from igor_core.verbs.debug.tell_editors import tell_editors
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.targets import Target


async def open_port(target: Target, context: Context, listener: DebugListener) -> None:
    """Open the port for a host's debuggers; name it in editors' files. Raises HostError."""
    first = usual_port(target.project.config.debug_port, rank_of(target))
    await listener.open(first)
    await say_port(target, first, listener.port)
    await tell_editors(target, context, listener.port)


def debuggee(target: Target, port: int, program: ListeningProgram, *, process: int = 0) -> Debuggee:
    """Return the event for a program behind `port`; `process` if igor did not start it."""
    debug = target.project.config.debug
    return Debuggee(
        host=target.name,
        rank=rank_of(target),
        session=program.ident,
        port=port,
        configuration=_configuration(target),
        local_root=str(target.project.root),
        remote_root=program.root,
        just_my_code=debug.just_my_code,
        subprocess=debug.subprocess and not process,
        python=program.python,
        command=program.command,
        process=process,
    )


def lost(target: Target, ident: str) -> HostError:
    """Report a program whose connection was lost; return the error that says so."""
    debug = target.project.config.debug
    grace = None if debug.detach else debug.grace
    target.job.emit(LostDebuggee(target.name, rank_of(target), ident, grace))
    text = f"the connection to {target.name} was lost; the program"
    if grace == 0:
        return HostError(f"{text} is ended on the host", '"grace" in "debug" of the config')
    lives = "keeps running on the host" + ("" if grace is None else f" for {grace:g} s")
    return HostError(f"{text} {lives}", f"attach again: {reattach_command(target)}")


def reattach_command(target: Target) -> str:
    """Return the command that attaches again to a host's program."""
    group = target.project.config.group(target.group)
    words = ["igor debug --reattach"]
    if group.name != DEFAULT_GROUP:
        words.append(f"-g {group.name}")
    if len(group.hosts) > 1:
        words.append(f"--ranks {rank_of(target)}")
    return " ".join(words)


def rank_of(target: Target) -> int:
    """The host's place in its group."""
    return target.project.config.group(target.group).hosts.index(target.entry)


def _configuration(target: Target) -> str:
    """The name of the debugger's configuration for a host."""
    several = len(target.project.config.group(target.group).hosts) > 1
    return f"igor: attach {target.group}" + (f" {target.name}" if several else "")
