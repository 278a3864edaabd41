"""Track the modes that a program switches on in a terminal, so that igor can switch them off.

A program that ends by itself cleans up; one that is lost with its connection can't. Igor switches
off only modes that are on: leaving an alternate screen that was never entered moves the cursor.
"""

import re

# DEC private modes (ctlseqs, "DECSET"), kitty's keyboard protocol, xterm's modifyOtherKeys, and a
# full reset.
_SWITCH = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[0-9;]{1,40})(?P<on>[hl])|\[(?P<kitty>[<>])[0-9;]{0,20}u"
    rb"|\[>4(?P<keys>;[0-9])?m|(?P<reset>c))"
)
# The longest escape sequence that the end of a chunk may cut.
_LONGEST = 48
# On by default in a terminal: line wrapping, the cursor.
_USUALLY_ON = frozenset({7, 25})
_CURSOR_KEYS, _PASTE = 1, 2004
#: Colours, margins, keypad and the like (DECSTR); the cursor stays where it is.
SOFT_RESET = b"\x1b[!p"


class ScreenModes:
    """Follows what is written to a terminal."""

    def __init__(self) -> None:
        #: Whether the program ever set the cursor keys' mode (DECCKM), as programs do that draw
        #: their input line themselves. Readline leaves the mode alone.
        self.has_set_keys = False
        self._tail = b""
        self._forget()

    def _forget(self) -> None:
        self._unusual: set[int] = set()
        self._kitty = 0
        self._keys = False

    def feed(self, data: bytes) -> int:
        """Return where in `data` the last switch of bracketed paste ends, 0 if there is none.

        Most programs switch it at each prompt.
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
        """Return whether the program wants bracketed paste now."""
        return _PASTE in self._unusual

    def undo(self) -> bytes:
        """Return the text that switches all modes back, and forget them."""
        parts = [
            b"\x1b[?%d%s" % (mode, b"h" if mode in _USUALLY_ON else b"l")
            for mode in sorted(self._unusual)
        ]
        parts += [b"\x1b[<%du" % self._kitty] if self._kitty else []
        parts += [b"\x1b[>4m"] if self._keys else []
        self._forget()
        return b"".join(parts)

    def _switch(self, found: re.Match[bytes]) -> bool:
        """Note one switch; return whether it is about bracketed paste."""
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
