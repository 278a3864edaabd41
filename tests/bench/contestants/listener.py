"""The bench as a client of the agent's: asks it, and hears of it as an editor does."""

import os
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from igor_core.agent.client import Client, connect
from igor_core.agent.protocol import Kind
from tests.bench import BenchError


class Listener:
    """Hears from the agent how fresh the hosts are, as an editor does."""

    #: The agent tells of changes so far apart at least.
    PAUSE_SECONDS = 0.1

    def __init__(self, environment: Mapping[str, str], root: Path) -> None:
        self._client = ask_agent(environment)
        self._client.request("watch", str(root), {"push_on_write": True, "warm": True})
        self._was_behind = False

    def fileno(self) -> int:
        return self._client.fileno()

    def begin(self) -> None:
        """From now on it counts; what comes now is told at once."""
        time.sleep(1.5 * self.PAUSE_SECONDS)
        while select.select([self._client], [], [], 0)[0]:
            self._client.receive()
        self._was_behind = False

    def has_caught_up(self) -> bool:
        """Read what there is; whether all hosts were behind and are fresh again."""
        for frame in self._client.receive():
            if frame[0] is Kind.FINISHED:
                raise BenchError(f"the agent no longer tells how fresh the hosts are: {frame[2]}")
            if frame[0] is Kind.EVENT and self._is_fresh(frame[2]["hosts"]):
                return True
        return False

    def close(self) -> None:
        self._client.close()

    def _is_fresh(self, hosts: list[dict[str, Any]]) -> bool:
        is_fresh = all(host["state"] == "fresh" for host in hosts)
        self._was_behind = self._was_behind or not is_fresh
        return is_fresh and self._was_behind


def ask_agent(environment: Mapping[str, str]) -> Client:
    """A client of the agent that runs in these surroundings."""
    with _surroundings(environment):
        return connect("bench", answers=False, start=False)


@contextmanager
def _surroundings(environment: Mapping[str, str]) -> Iterator[None]:
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = environment["XDG_RUNTIME_DIR"]
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
