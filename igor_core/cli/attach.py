"""`igor attach`: choose a process, attach to it, and print how an editor connects."""

import select
import time
from typing import Any

from igor_core.agent.client import Client, connect
from igor_core.cli import job, report
from igor_core.cli.debug import DebugRenderer
from igor_core.cli.outlet import STDERR, STDOUT
from igor_core.cli.terminal import Question, somebody_there
from igor_core.cli.text import table
from igor_core.commands.parse import Invocation
from igor_core.errors import HostError, UsageError
from igor_core.quantities import duration

Process = dict[str, Any]


def run(invocation: Invocation) -> int:
    """Run until the debugger has left. Without a PID list the processes and ask for one."""
    root = job.directory(invocation)
    client = connect("cli", answers=somebody_there())
    arguments = job.verb_arguments(invocation)
    if "pid" not in arguments:
        found = processes(client, root, arguments)
        if invocation.values.get("json") or not somebody_there():
            return report.answer(invocation, listing(found), {"processes": found})
        chosen = choose(found)
        arguments = {**arguments, "pid": chosen["pid"], "hosts": [chosen["host"]]}
    as_json = invocation.values.get("json")
    wrap = (lambda renderer, _outlet: renderer) if as_json else DebugRenderer
    return job.follow(invocation, client, root, arguments, wrap)


def processes(client: Client, root: str, arguments: dict[str, Any]) -> list[Process]:
    """Return all Python processes; print the hosts' errors. Raises HostError if there are none."""
    where = {key: value for key, value in arguments.items() if key in ("group", "hosts")}
    outcome = client.call("processes", root, **where)
    failed = [result for result in outcome["results"] if not result["ok"]]
    found: list[Process] = (outcome["data"] or {}).get("processes", [])
    if outcome["error"] or (failed and not found):
        first = outcome if outcome["error"] else {"error": failed[0]["text"], **failed[0]}
        raise HostError(first["error"], first["hint"])
    for result in failed:
        report.show(STDERR, [f"igor: {result['host']}: {result['text']}"])
    if not found:
        raise HostError("no Python process of this project is running", "start one: igor run FILE")
    return found


def listing(found: list[Process]) -> list[str]:
    rows = [["PID", "host", "rank", "runs for", "command"]]
    now = time.time()
    for process in found:
        age = duration(max(0.0, now - process["started"]))
        cells = [str(process["pid"]), process["host"], process["rank"], age, process["command"]]
        rows.append(cells)
    return table(rows)


def choose(found: list[Process]) -> Process:
    """Ask at the terminal, even for a single process."""
    head, *lines = listing(found)
    numbered = [f"{number:3}  {line}" for number, line in enumerate(lines, 1)]
    report.show(STDOUT, [f"     {head}", *numbered])
    with Question(f"attach to which process? [1-{len(found)}] ", echo=True) as question:
        select.select([question], [], [])
        answer = (question.answer() or "").strip()
    if not answer.isdecimal() or not 0 < int(answer) <= len(found):
        raise UsageError("no process was chosen", "igor attach PID")
    return found[int(answer) - 1]
