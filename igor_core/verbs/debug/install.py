"""A debugpy of igor's own, for an image that has none."""

from igor_core.debug.keeper_notes import DebugRefused
from igor_core.debug.launch import HELPER
from igor_core.errors import HostError
from igor_core.ssh.process import Command
from igor_core.verbs.steps.targets import Target

_NO_PIP = 127
_REMEDY = "add debugpy to the image, as in `RUN pip install debugpy`, then: igor docker setup"


async def may_install(target: Target, refused: DebugRefused) -> bool:
    """Ask whoever is there."""
    question = (
        f"{refused.text}. Install it for debugging, by pip into {refused.more['folder']} there, "
        "outside of the project? [y/N] "
    )
    answer = await target.job.ask(target.name, question, True)
    return (answer or "").strip().lower() in ("y", "yes")


async def install(target: Target, command: Command) -> None:
    """Run the helper's `install`. HostError where that does not work."""
    target.step("installs debugpy")
    done = await target.remote.complete(command, HELPER.payload)
    if done.status == _NO_PIP:
        raise HostError(f"{target.name}: that Python has no pip", _REMEDY)
    if done.status != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in said if line.startswith("ERROR: ")] or said[-1:] or ["?"]
        raise HostError(
            f"{target.name}: pip can't get debugpy: {errors[0].removeprefix('ERROR: ')}", _REMEDY
        )
