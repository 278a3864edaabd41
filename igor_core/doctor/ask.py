"""Ask a host for facts over its connection."""

import asyncio
import re
import time
from collections.abc import Sequence

from igor_core.doctor.engine_facts import commands, engine_facts
from igor_core.doctor.facts import Engine, HostFacts, Link, Space
from igor_core.doctor.host_script import HOST_SCRIPT, SPACE_SCRIPT
from igor_core.doctor.parse import parse, space
from igor_core.doctor.run_args import Wanted
from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.runtime import Runtime
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Completed

PING_SECONDS = 10.0
SCRIPT_SECONDS = 60.0
ENGINE_SECONDS = 30.0
PINGS = 3


async def ping(remote: RemoteHost) -> Link:
    """Time a few small commands; the fastest also gives the clocks' difference.

    HostError when none is answered in time.
    """
    quickest, clock = float("inf"), None
    for _again in range(PINGS):
        before = time.time()
        started = time.monotonic()
        try:
            done = await asyncio.wait_for(remote.run(["date", "+%s.%N"]), PING_SECONDS)
        except asyncio.TimeoutError:
            raise HostError(
                f"{remote.name} no longer answers", "try again in half a minute"
            ) from None
        took = time.monotonic() - started
        if took < quickest:
            quickest, clock = took, _ahead(done.stdout, before + took / 2)
    user = remote.account.user
    address, port, _login = remote.endpoint
    login = f"{user}@{address}" if port == 22 else f"{user}@{address}, port {port}"
    return Link(login, remote.has_supervisor, remote.why_no_supervisor, quickest, clock)


def _ahead(printed: bytes, ours: float) -> float | None:
    """Read the time that `date` printed; busybox may print %N literally."""
    found = re.match(rb"\d{1,12}(\.\d{1,9})?(?!\d)", printed)
    return float(found[0]) - ours if found else None


async def look(remote: RemoteHost, paths: HostPaths, engine: str, wanted: Wanted) -> HostFacts:
    """Run the script. Raises HostError if the connection is lost or the host is stuck."""
    asked = [engine, "yes" if wanted.ports else "", "yes" if wanted.gpu else ""]
    argv = ["sh", "-c", HOST_SCRIPT, "igor", paths.base, paths.tree, paths.private, *asked]
    try:
        done = await asyncio.wait_for(remote.run(argv), SCRIPT_SECONDS)
    except asyncio.TimeoutError:
        raise HostError(
            f"{remote.name} did not finish the checks within {SCRIPT_SECONDS:.0f} s",
            f"a file system on the host may be stuck: ssh {remote.name} df",
        ) from None
    return parse(done.stdout, paths)


async def engine(remote: RemoteHost, runtime: Runtime) -> Engine:
    """Ask the engine about itself, with all commands at once. Raises HostError as `look` does."""
    said = await asyncio.gather(*(_engine_says(remote, argv) for argv in commands(runtime)))
    return engine_facts(runtime, *said)


async def _engine_says(remote: RemoteHost, argv: Sequence[str]) -> Completed:
    """Run an engine's command; an engine that is stuck counts as a failed command."""
    try:
        return await asyncio.wait_for(remote.run(argv), ENGINE_SECONDS)
    except asyncio.TimeoutError:
        return Completed(124, b"", f"no answer within {ENGINE_SECONDS:.0f} s".encode())


async def space_at(remote: RemoteHost, path: str) -> Space | None:
    """The file system of a path, or of the nearest existing folder above it."""
    try:
        done = await asyncio.wait_for(
            remote.run(["sh", "-c", SPACE_SCRIPT, "igor", path]), PING_SECONDS
        )
    except asyncio.TimeoutError:
        return None
    return space(done.stdout.decode("utf-8", "replace").strip())
