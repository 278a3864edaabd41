"""How much is under way: a fast line is kept busy, a slow one never has long queues."""

import pytest

from igor_core.push.channel.pace import Pace


def under_way_on(line: float, distance: float, seconds: float) -> list[int]:
    """What is under way at each moment of a long transfer: bytes/s, one way and back in s."""
    pace, now, step = Pace(), 0.0, 0.001
    queue: list[tuple[float, int]] = []
    seen = []
    free_at = 0.0
    while now < seconds:
        while pace.may_send:
            pace.sent(16_384, now)
            free_at = max(free_at, now) + 16_384 / line
            queue.append((free_at + distance, 16_384))
        while queue and queue[0][0] <= now:
            pace.taken(queue.pop(0)[1], now)
        seen.append(pace.under_way)
        now += step
    return seen


def test_a_fast_line_gets_as_much_as_a_session_takes() -> None:
    for distance in (0.001, 0.08, 0.3):
        assert max(under_way_on(50e6, distance, 5)) > 4_000_000


@pytest.mark.parametrize("line", [30e3, 125e3, 1e6])
def test_a_slow_line_has_no_more_queued_than_soon_leaves(line: float) -> None:
    seen = under_way_on(line, 0.05, 60)
    late = seen[len(seen) // 2 :]
    assert max(late) / line < max(1.2, 160_000 / line)
    assert min(late) > 0


def test_a_line_that_was_slow_is_measured_anew() -> None:
    pace = Pace()
    pace.sent(1 << 17, 0.0)
    pace.taken(1 << 17, 10.0)
    slow = pace.limit
    pace.sent(1 << 20, 20.0)
    pace.taken(1 << 20, 20.05)
    assert pace.limit > 10 * slow
