"""`igor diff`: a job whose output goes through a pager."""

from igor_core.agent.client import connect
from igor_core.cli.job import directory, follow, verb_arguments
from igor_core.cli.outlet import STDOUT, Outlet
from igor_core.cli.pager import Pager, pager_command
from igor_core.cli.session import Renderer
from igor_core.cli.style import is_terminal, wants_colour
from igor_core.cli.terminal import somebody_there
from igor_core.commands.parse import Invocation

DIFFERS = 1


def run(invocation: Invocation) -> int:
    """Run the job; exit status as diff(1): 0 no difference, 1 differences, 2 trouble."""
    arguments = verb_arguments(invocation)
    as_json = invocation.values.get("json", False)
    command = None if as_json or arguments.pop("no_pager", False) else pager_command()
    arguments["colour"] = not as_json and wants_colour(STDOUT)
    arguments["screen"] = not as_json and is_terminal(STDOUT)
    pagers: list[Pager] = []

    def paged(renderer: Renderer, outlet: Outlet) -> Renderer:
        if command is None or not is_terminal(STDOUT):
            return renderer
        pagers.append(Pager(renderer, outlet, command))
        return pagers[0]

    client = connect("cli", answers=somebody_there())
    try:
        return follow(invocation, client, directory(invocation), arguments, paged)
    except BrokenPipeError:
        if any(pager.used for pager in pagers):
            return DIFFERS  # the user quit the pager
        raise
    finally:
        for pager in pagers:
            pager.close()
