"""processes: the Python processes of the project on all hosts, to choose one from."""

from typing import Any

from igor_core.debug.processes.model import PythonProcess
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.processes import look_at
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def processes(job: Job, context: Context) -> Outcome:
    """Return as data the list of processes, each with its host, the longest-running first."""
    targets = targets_of(job, context)
    found: dict[str, list[dict[str, Any]]] = {}

    async def on(target: Target) -> Done:
        look = await look_at(target, await target.connect())
        found[target.name] = [_to_wire(target, process) for process in look.processes]
        return Done("" if look.processes else "no Python process of this project is running")

    outcome = await each(targets, on)
    data = [process for target in targets for process in found.get(target.name, ())]
    return Outcome(outcome.status, results=outcome.results, data={"processes": data})


def _to_wire(target: Target, process: PythonProcess) -> dict[str, Any]:
    return {
        "host": target.name,
        "pid": process.pid,
        "ppid": process.ppid,
        "argv": list(process.argv),
        "command": process.command,
        "state": process.state,
        "started": process.started,
        "rank": process.rank,
        "debugged": bool(process.session),
    }
