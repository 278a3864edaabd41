"""The verbs about the agent itself. Each takes the job and the agent."""

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from igor_core import __version__, directories
from igor_core.agent.jobs import AgentJob
from igor_core.commands.table import verb_named
from igor_core.errors import UsageError
from igor_core.events import Outcome

if TYPE_CHECKING:
    from igor_core.agent.server import Server

#: Seconds before the agent stops, so that the answer is sent first.
STOP_DELAY = 0.05


async def jobs(job: AgentJob, server: "Server") -> Outcome:
    """List the running jobs, and the last few that have ended."""
    others = [other.describe() for other in server.jobs.all() if other is not job]
    return Outcome(0, data=[entry for entry in others if verb_named(entry["verb"]).is_listed])


async def cancel(job: AgentJob, server: "Server") -> Outcome:
    """Cancel another job; that job's own client is told how it ends."""
    number = job.args.get("job")
    other = server.jobs.get(number) if isinstance(number, int) else None
    if other is None or other.outcome is not None:
        raise UsageError(f"no job {number} is running", "see: igor jobs")
    other.cancel()
    return Outcome(0, data=other.describe())


async def status(job: AgentJob, server: "Server") -> Outcome:
    """Return facts about the agent; its clients and jobs, without the one that asks."""
    data: dict[str, Any] = {
        "pid": os.getpid(),
        "version": __version__,
        "socket": str(directories.socket_path()),
        "log": str(directories.log_path()),
        "uptime": time.monotonic() - server.started,
        "idle_after": server.idle_after,
        "clients": server.client_count() - 1,
        "jobs": _others_at_work(job, server),
        "connections": [
            {"host": host.name, "state": host.state, "reason": host.reason, "rtt": host.rtt}
            for host in server.context.pool.hosts()
        ],
    }
    return Outcome(0, data=data)


async def stop(job: AgentJob, server: "Server") -> Outcome:
    """Stop the agent, and cancel its jobs."""
    asyncio.get_running_loop().call_later(STOP_DELAY, server.stop, f"asked by {job.client}")
    return Outcome(0, data={"jobs": _others_at_work(job, server)})


def _others_at_work(job: AgentJob, server: "Server") -> int:
    return sum(other is not job for other in server.jobs.working())
