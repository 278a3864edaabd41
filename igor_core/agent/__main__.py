"""`python -m igor_core.agent`: run the agent. Clients start it; nobody needs to by hand."""

import argparse
import asyncio
import logging
import os
import sys

from igor_core import directories
from igor_core.errors import IgorError

# A log that is larger when an agent starts begins anew.
LOG_BYTES = 5 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m igor_core.agent", description=__doc__)
    parser.add_argument("--ready-fd", type=int, help="written to once the agent listens")
    options = parser.parse_args()
    os.umask(0o077)
    _start_log()
    from igor_core.agent.server import IDLE_SECONDS, Server

    idle_after = float(os.environ.get("IGOR_AGENT_IDLE") or IDLE_SECONDS)

    async def serve() -> None:
        await Server(idle_after).serve(options.ready_fd)

    try:
        asyncio.run(serve())
    except IgorError as error:
        print(f"igor: {error.message}", file=sys.stderr)
        return error.exit_status
    return 0


def _start_log() -> None:
    path = directories.log_path()
    if path.exists() and path.stat().st_size > LOG_BYTES:
        os.truncate(path, 0)
    logging.basicConfig(
        filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
