"""doctor's check of what debugging needs where programs run."""

from igor_core.doctor.check import Check
from igor_core.doctor.debugger import PROBE, debug_python, debugpy_check
from igor_core.environment import Environment
from igor_core.errors import IgorError
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.targets import Target


async def debug_checks(
    target: Target, environment: Environment, *, runs: bool = True
) -> list[Check]:
    """Has the project's Python debugpy? One round trip; nothing where its container doesn't run."""
    if not runs:
        return []
    words = python_for(target).runs(["-c", PROBE])
    try:
        done = await environment.run(words)
    except IgorError:
        return []  # other checks say why
    found = debug_python(done.stdout.decode("utf-8", "replace"))
    return [debugpy_check(found, environment.where)]
