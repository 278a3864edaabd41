"""Use colour by the usual conventions: no-color.org, bixense.com/clicolors, FORCE_COLOR, TERM."""

import os

CODES = {
    "error": "31;1",
    "warning": "33",
    "good": "32",
    "quiet": "2",
    "strong": "1",
}
HOST_COLOURS = ("36", "35", "34", "32", "33")


class Style:
    """Colours text, or leaves it as it is if colour isn't wanted."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._hosts: dict[str, str] = {}

    def paint(self, name: str, text: str) -> str:
        return self._painted(CODES[name], text)

    def host(self, host: str) -> str:
        """Return the host's name in a colour of its own."""
        colour = HOST_COLOURS[len(self._hosts) % len(HOST_COLOURS)]
        return self._painted(self._hosts.setdefault(host, colour), host)

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text


def is_terminal(descriptor: int) -> bool:
    """Return whether this is a terminal that a person looks at and that can move the cursor."""
    return os.isatty(descriptor) and os.environ.get("TERM", "dumb") != "dumb"


def wants_colour(descriptor: int) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return is_terminal(descriptor) and os.environ.get("CLICOLOR") != "0"
