"""Events on their way to Lua."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

BATCH_SECONDS = 0.015
# Neovim draws nothing while it takes a batch in, so a batch holds no more output than this.
BATCH_BYTES = 1 << 15


class Batches:
    """Events on their way to Lua: the first at once, then every 15 ms, one batch at a time.

    The next batch waits until Lua has taken the last one. What waits here is so bounded by the
    credit that the agent got, and that credit is renewed only for what was shown.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, channel: int, execute: Callable[[str, Any], object]
    ) -> None:
        """`execute` sends Lua code and its arguments to the editor and doesn't wait."""
        self._loop = loop
        self._channel = channel
        self._execute = execute
        self._waiting: deque[tuple[int, dict[str, Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._on_the_way: Counter[int] | None = None
        self._last = -BATCH_SECONDS

    def call(self, module: str, function: str, *args: Any) -> None:
        """Call a Lua function and don't wait for it."""
        self._execute(f"require('{module}').{function}(...)", args)

    def add(self, request: int, event: dict[str, Any]) -> None:
        self._waiting.append((request, event))
        self._schedule()

    def consumed(self) -> Counter[int]:
        """The batch on the way was shown: the bytes of output in it, by request."""
        sizes, self._on_the_way = self._on_the_way, None
        self._schedule()
        return sizes or Counter()

    def _schedule(self) -> None:
        if self._timer is None and self._on_the_way is None and self._waiting:
            at = max(self._loop.time(), self._last + BATCH_SECONDS)
            self._timer = self._loop.call_at(at, self._send)

    def _send(self) -> None:
        self._timer = None
        batch: list[tuple[int, dict[str, Any]]] = []
        sizes: Counter[int] = Counter()
        while self._waiting and sizes.total() < BATCH_BYTES:
            request, event = self._waiting.popleft()
            batch.append((request, event))
            if event["type"] == "output":
                sizes[request] += len(event["data"])
        self._on_the_way = sizes
        self._last = self._loop.time()
        self.call("igor.job", "receive", self._channel, batch)
