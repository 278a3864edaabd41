"""How many bytes may be under way to a host: as many as it takes in half a second. Pure.

More makes no line faster. On a slow line a save would wait behind them, and so would the
keepalive, without whose answer the connection is considered dead.
"""

# The limit until the speed of the line is known.
_FIRST_BYTES = 1 << 19
_LEAST_BYTES = 1 << 17
# sshd grants a session 2 MB; as much again may wait locally.
_MOST_BYTES = 4 << 20
_SECONDS = 0.5
# A measurement takes at least MEASURE, and a new one begins after RENEW.
_MEASURE_SECONDS = 0.1
_RENEW_SECONDS = 1.0


class Pace:
    """Counts the bytes that were sent and acknowledged; `now` is a clock in seconds."""

    def __init__(self) -> None:
        self.under_way = 0
        self.limit = _FIRST_BYTES
        self._since = 0.0
        self._taken = 0

    @property
    def may_send(self) -> bool:
        return self.under_way < self.limit

    def sent(self, size: int, now: float) -> None:
        if self.under_way == 0:
            self._since, self._taken = now, 0
        self.under_way += size

    def taken(self, size: int, now: float) -> None:
        self.under_way -= size
        self._taken += size
        seconds = now - self._since
        if seconds >= _MEASURE_SECONDS or self._taken >= self.limit:
            rate = self._taken / max(seconds, 0.001)
            self.limit = int(min(max(rate * _SECONDS, _LEAST_BYTES), _MOST_BYTES))
        if seconds >= _RENEW_SECONDS:
            self._since, self._taken = now, 0
