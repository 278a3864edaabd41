"""The line with which a program in a container announces its process group. Also runs on hosts."""

ANNOUNCE = b"\x1eigor-pid:"
# A terminal may echo something before it, or a login shell print.
ANNOUNCED_WITHIN = 1 << 16


class Announcement:
    """Takes the line with the process group's number (`pid`) out of the output.

    `over`: the line was found, or won't come any more. `found_at` is its offset in its chunk.
    """

    def __init__(self, mark: bytes = ANNOUNCE) -> None:
        self.pid = ""
        self.found_at = 0
        self.over = False
        self._mark = mark
        self._held = b""
        self._passed = 0

    def feed(self, data: bytes) -> bytes:
        """Return the output without the line; hold back bytes that may begin it."""
        if self.over:
            return data
        data, self._held = self._held + data, b""
        at = data.find(self._mark)
        if at >= 0:
            return self._take(data, at)
        beginnings = range(len(self._mark) - 1, 0, -1)
        keep = next((n for n in beginnings if data.endswith(self._mark[:n])), 0)
        self._held = data[len(data) - keep :]
        return self._pass(data[: len(data) - keep])

    def rest(self) -> bytes:
        """Return what was held back, at the end of the output."""
        held, self._held = self._held, b""
        return held

    def _take(self, data: bytes, at: int) -> bytes:
        end = data.find(b"\n", at)
        if end < 0 and len(data) - at < 64:
            self._held = data[at:]
            return self._pass(data[:at])
        self.over = True
        self.found_at = at
        found = data[at + len(self._mark) : end].strip() if end >= 0 else b""
        if not (found.isdigit() and len(found) <= 10):
            # Not the announcement, whatever it is.
            return data
        self.pid = found.decode("ascii")
        return data[:at] + data[end + 1 :]

    def _pass(self, data: bytes) -> bytes:
        self._passed += len(data)
        if self._passed > ANNOUNCED_WITHIN:
            self.over = True
            return data + self.rest()
        return data
