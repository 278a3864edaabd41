"""Handing answers to the futures that wait for them, a limited number per turn."""

import asyncio
from collections import deque
from typing import Any

# What answers lead to would block the event loop if too many were delivered in one turn.
ANSWERS_PER_TURN = 128


class Delivery:
    """Resolves futures in order, at most ANSWERS_PER_TURN in one turn of the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._delivered = 0

    def add(self, future: "asyncio.Future[Any]", value: Any) -> None:
        self._queue.append((future, value))
        self._deliver()

    def _deliver(self) -> None:
        while self._queue and self._delivered < ANSWERS_PER_TURN:
            if self._delivered == 0:
                self._loop.call_soon(self._deliver_more)
            self._delivered += 1
            future, value = self._queue.popleft()
            if not future.done():
                future.set_result(value)

    def _deliver_more(self) -> None:
        self._delivered = 0
        self._deliver()
