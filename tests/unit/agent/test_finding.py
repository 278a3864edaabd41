"""Reading a job's output for places leaves the loop to others."""

import asyncio
import contextlib

from igor_core.agent.finding import MOST, Finding
from igor_core.output import SourceTree

TREE = SourceTree.of("/local", ["/workspace"], ["train.py"])
LINES = b"".join(b"train.py:%d:1: error: wrong\n" % line for line in range(1, 1501))
QUIET = b"epoch 3 has a loss of 0.25 and goes on\n" * 8000


async def turns_while(reading: "asyncio.Task[None]") -> int:
    """How often others had a turn until it was done."""
    count = 0
    while not reading.done():
        await asyncio.sleep(0)
        count += 1
    return count


async def test_others_have_their_turn_every_16_kb_and_sooner_where_it_takes_long() -> None:
    for data in (LINES, QUIET):
        finding = Finding()
        finding.know("apollo", TREE)
        reading = asyncio.ensure_future(finding.read("apollo", "stdout", data, False))
        assert await turns_while(reading) >= len(data) // MOST
    places, dropped = finding.found()
    assert (places, dropped) == ((), 0)


async def test_hosts_that_write_at_once_are_read_one_by_one_and_none_mixes_with_another() -> None:
    finding, hosts = Finding(), [f"host{number}" for number in range(8)]
    for host in hosts:
        finding.know(host, TREE)
    await asyncio.gather(*(finding.read(host, "stdout", LINES, False) for host in hosts))
    places, dropped = finding.found()
    assert {(place["count"], len(place["hosts"])) for place in places} == {(8, 8)}
    assert (len(places), dropped) == (1500, 0)


async def test_a_host_whose_files_are_not_known_is_not_read() -> None:
    finding = Finding()
    await finding.read("apollo", "stdout", LINES, False)
    assert finding.found() == ((), 0)


async def test_who_is_cancelled_has_read_the_end_of_what_was_shown() -> None:
    finding = Finding()
    finding.know("apollo", TREE)
    reading = asyncio.ensure_future(
        finding.read("apollo", "stdout", QUIET + b"train.py:7:1: error: last\n", False)
    )
    await asyncio.sleep(0)
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    places, _dropped = finding.found()
    assert [place["line"] for place in places] == [7]
