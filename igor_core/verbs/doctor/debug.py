"""doctor's look at what debugging needs where programs run."""

from igor_core.doctor.check import Check
from igor_core.doctor.debugger import PROBE, debug_python, debugpy_check
from igor_core.errors import IgorError
from igor_core.paths import HostPaths
from igor_core.verbs.steps.container import spec_for
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.targets import Target


async def debug_checks(target: Target, paths: HostPaths, *, runs: bool = True) -> list[Check]:
    """Has the project's Python debugpy? One round trip; nothing where its container doesn't run."""
    if not runs:
        return []
    words = python_for(target).runs(["-c", PROBE])
    try:
        spec = spec_for(target, paths)
        if target.runtime is None:
            done = await target.remote.run(["sh", "-c", _IN_TREE, "igor", spec.tree, *words],
                                           env=spec.env)  # fmt: skip
        else:
            done = await target.remote.run(
                target.runtime.exec(spec.owner.container, words, stdin=False)
            )
    except IgorError:
        return []  # there are checks that say why
    where = "on the host" if target.runtime is None else "in the container"
    return [debugpy_check(debug_python(done.stdout.decode("utf-8", "replace")), where)]


# The folder may not be there yet.
_IN_TREE = 'cd -- "$1" 2>/dev/null; shift; exec "$@"'
