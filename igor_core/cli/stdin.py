"""Pass on what is typed or piped into igor to the program on the host."""

import errno
import os
from typing import Any

from igor_core.agent.client import Client
from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from igor_core.cli.terminal import in_foreground

STDIN = 0
MOST = 1 << 16  # bytes read at once


class Stdin:
    """Sends stdin over a stream, as much as the agent grants credit for.

    It reads nothing before the agent has opened the stream. So if the program never runs, or there
    are several hosts, the input is left for the next program.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream = 0
        self._credit = 0
        self._is_terminal = os.isatty(STDIN)

    @property
    def is_open(self) -> bool:
        return self._stream != 0

    def opened(self, stream: int, _parameters: dict[str, Any]) -> None:
        self._stream, self._credit = stream, INITIAL_CREDIT

    def granted(self, stream: int, count: int) -> None:
        if stream == self._stream:
            self._credit += count

    def received(self, stream: int, data: bytes) -> None:
        """Ignore bytes from the agent: a program's output comes as events, so there are none."""

    def closed(self, stream: int, _status: int, _reason: str) -> None:
        if stream == self._stream:
            self._stream = 0

    def woken(self) -> None:
        """Do nothing: no signal matters to stdin."""

    def wanted(self) -> bool:
        """Return whether `pass_on` may be called when stdin is readable."""
        return self._has_room() and not self.in_background()

    def in_background(self) -> bool:
        """Return whether stdin is wanted, but reading the terminal would stop igor and its output.

        No signal tells when that ends: shells send SIGCONT only to jobs that were stopped.
        """
        return self._has_room() and self._is_terminal and not in_foreground(STDIN)

    def _has_room(self) -> bool:
        return self._stream != 0 and self._credit > 0

    def pass_on(self) -> None:
        """Send the available input, or EOF at its end."""
        data = _read(min(MOST, self._credit))
        if data:
            self._credit -= len(data)
            self._client.send(Kind.BYTES, self._stream, data)
        else:
            self._client.send(Kind.EOF, self._stream)
            self._stream = 0


def _read(count: int) -> bytes:
    try:
        return os.read(STDIN, count)
    except OSError as error:
        # The terminal is gone (EIO), or stdin is a folder (EISDIR): nothing to read.
        if error.errno in (errno.EIO, errno.EISDIR):
            return b""
        raise
