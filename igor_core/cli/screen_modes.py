"""What a program has switched on in a terminal, so that igor can switch it off after it.

A program that ends by itself cleans up; one that is lost with its connection can't. Only what is
on is switched off: leaving an alternate screen that was never entered moves the cursor.
"""

import re

# DEC private modes (ctlseqs, "DECSET"), kitty's keyboard protocol, xterm's modifyOtherKeys, and a
# full reset.
_SWITCH = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[0-9;]{1,40})(?P<on>[hl])|\[(?P<kitty>[<>])[0-9;]{0,20}u"
    rb"|\[>4(?P<keys>;[0-9])?m|(?P<reset>c))"
)
# The longest switch that may be cut by the end of a chunk.
_LONGEST = 48
# On in a terminal at rest: the wrapping of lines, the cursor.
_USUALLY_ON = frozenset({7, 25})
_CURSOR_KEYS, _PASTE = 1, 2004
#: Colours, margins, keypad and the like (DECSTR); the cursor stays where it is.
SOFT_RESET = b"\x1b[!p"


class ScreenModes:
    """Follows what is written to a terminal."""

    def __init__(self) -> None:
        #: Whether the cursor keys were ever set to one of their modes (DECCKM), as programs do that
        #: draw the line that is typed themselves. Readline leaves them alone.
        self.has_set_keys = False
        self._tail = b""
        self._forget()

    def _forget(self) -> None:
        self._unusual: set[int] = set()
        self._kitty = 0
        self._keys = False

    def feed(self, data: bytes) -> int:
        """Where in `data` the last word about pastes ends, as most programs say it at each prompt.

        0 where there is none.
        """
        if not self._tail and b"\x1b" not in data:
            return 0
        text = self._tail + data
        pastes = end = 0
        for found in _SWITCH.finditer(text):
            end = found.end()
            if self._switch(found):
                pastes = end - len(self._tail)
        at = text.rfind(b"\x1b", max(end, len(text) - _LONGEST))
        self._tail = text[at:] if at >= 0 else b""
        return pastes

    @property
    def takes_pastes(self) -> bool:
        """Whether a paste is to come in brackets now (bracketed paste)."""
        return _PASTE in self._unusual

    def undo(self) -> bytes:
        """What switches all of it back; forgets it."""
        parts = [
            b"\x1b[?%d%s" % (mode, b"h" if mode in _USUALLY_ON else b"l")
            for mode in sorted(self._unusual)
        ]
        parts += [b"\x1b[<%du" % self._kitty] if self._kitty else []
        parts += [b"\x1b[>4m"] if self._keys else []
        self._forget()
        return b"".join(parts)

    def _switch(self, found: re.Match[bytes]) -> bool:
        """Note one; whether it is about pastes."""
        if found["modes"]:
            modes = {int(mode) for mode in found["modes"].split(b";") if mode}
            self.has_set_keys |= _CURSOR_KEYS in modes
            usual = modes & _USUALLY_ON if found["on"] == b"h" else modes - _USUALLY_ON
            self._unusual = (self._unusual | modes) - usual
            return _PASTE in modes
        if found["kitty"]:
            self._kitty = max(0, self._kitty + (1 if found["kitty"] == b">" else -1))
        elif found["reset"]:
            self._forget()
        else:
            self._keys = found["keys"] is not None
        return False
