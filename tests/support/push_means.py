"""The transports of a push, and what a push did."""

import asyncio

from igor_core.push.report import PushReport
from tests.lab import Host
from tests.support.pushing import Desk
from tests.support.waiting import wait_until

MEANS = ["receiver", "rsync", "rsync without python3"]


def clear(host: Host) -> None:
    host.run(["sh", "-c", "chmod -R u+w dev 2>/dev/null; rm -rf dev link"], check=False)


async def take_away(clone: Desk, rtt_ms: float) -> None:
    """Delay the host by this round trip (milliseconds), and close the connection to it."""
    clone.lab_host.delay(rtt_ms)
    clone.remote.close()
    await asyncio.to_thread(wait_until, lambda: not clone.host_tree.opened)


def sent(report: PushReport) -> list[bytes]:
    return [file.path for file in report.sent]


def held_back(report: PushReport) -> dict[bytes, str]:
    return {item.path: item.reason for item in report.held_back}


async def assert_is_settled(clone: Desk) -> None:
    """Check that the host has the local tree, and that another push would do nothing."""
    here, there = clone.local(), clone.on_host()
    assert {path: there.get(path) for path in here} == here
    report = await clone.push()
    assert (report.sent, report.deleted, report.held_back) == ([], [], [])
