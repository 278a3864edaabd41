"""`python -m igor_core.agent`: run the agent. Clients start it; nobody needs to by hand."""

import argparse
import asyncio
import logging
import math
import os
import sys

from igor_core import directories
from igor_core.agent.log_limit import LogLimit
from igor_core.errors import IgorError, UsageError

# An agent that starts with a larger log begins a new one.
LOG_BYTES = 5 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m igor_core.agent", description=__doc__)
    parser.add_argument("--ready-fd", type=int, help="written to once the agent listens")
    options = parser.parse_args()
    os.umask(0o077)
    os.chdir("/")  # hold no folder
    _start_log()
    from igor_core.agent.server import IDLE_SECONDS, Server

    # A login uses the ssh-agent of the client that wants it, never that of the first client.
    os.environ.pop("SSH_AUTH_SOCK", None)

    async def serve() -> None:
        await Server(_idle_seconds(IDLE_SECONDS)).serve(options.ready_fd)

    try:
        asyncio.run(serve())
    except IgorError as error:
        print(f"igor: {error.message}", file=sys.stderr)
        return error.exit_status
    return 0


def _idle_seconds(usual: float) -> float:
    """Return `IGOR_AGENT_IDLE`. Raises UsageError if it is not a number of seconds."""
    said = os.environ.get("IGOR_AGENT_IDLE")
    if not said:
        return usual
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise UsageError(f"IGOR_AGENT_IDLE is {said!r}, not a number of seconds", "unset it")
    return seconds


def _start_log() -> None:
    path = directories.log_path()
    if path.exists() and path.stat().st_size > LOG_BYTES:
        os.truncate(path, 0)
    logging.basicConfig(
        filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    limit = LogLimit()
    for handler in logging.getLogger().handlers:
        handler.addFilter(limit)


if __name__ == "__main__":
    sys.exit(main())
