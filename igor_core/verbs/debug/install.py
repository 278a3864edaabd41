"""Install a debugpy for igor, if the image has none."""

from igor_core.debug.keeper_notes import DebugRefused
from igor_core.debug.launch import HELPER
from igor_core.errors import HostError
from igor_core.ssh.process import Command
from igor_core.verbs.steps.request import confirm
from igor_core.verbs.steps.targets import Target

_NO_PIP = 127
_REMEDY = "add debugpy to the image, e.g. `RUN pip install debugpy`, then: igor docker setup"


async def may_install(target: Target, refused: DebugRefused) -> bool:
    """Ask the user."""
    question = (
        f"{refused.text}. Install it with pip into {refused.more['folder']}, outside the project?"
    )
    return await confirm(target.job, target.name, question)


async def install(target: Target, command: Command) -> None:
    """Run the debug helper's `install`. Raises HostError if it fails."""
    target.step("install debugpy")
    done = await target.remote.complete(command, HELPER.payload)
    if done.status == _NO_PIP:
        raise HostError(f"{target.name}: that Python has no pip", _REMEDY)
    if done.status != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in said if line.startswith("ERROR: ")] or said[-1:] or ["?"]
        raise HostError(
            f"{target.name}: pip can't install debugpy: {errors[0].removeprefix('ERROR: ')}",
            _REMEDY,
        )
