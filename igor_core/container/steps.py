"""Match a pattern with many wildcards in one pass over the text, however hostile both are.

Python's expressions backtrack, Go's don't, so a pattern that docker matches quickly could block
igor. This matcher keeps all positions in the pattern that the text can have reached, as bits of
one number.
"""

import re

# What `translate` in dockerignore.py writes: nothing or folders, all the rest, and one character
# (perhaps of a set) with or without a star.
_ITEM = re.compile(
    r"(?P<folders>\(\?:\.\*/\)\?)|(?P<all>\(\?s:\.\*\))|(?P<end>\\Z)"
    r"|(?P<one>\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|.)(?P<star>\*?)",
    re.DOTALL,
)


class Steps:
    """An expression of those items, with a `match` like that of re.Pattern."""

    def __init__(self, expression: str) -> None:
        # By position: what one character must match to go on to the next.
        self._ones: list[re.Pattern[str]] = []
        # Positions that stay where they are, and those that may be passed over, by how far.
        self._stays = self._skips_one = self._skips_three = 0
        self._by_character: dict[str, tuple[int, int]] = {}
        before = ""
        for item in _ITEM.finditer(expression):
            if item["folders"]:
                # Twice is no more than once.
                if before != "folders":
                    self._skips_three |= self._here()
                    self._add("(?!)", skips=True)
                    self._add(".", stays=True, skips=True)
                    self._add("/")
            elif not item["end"]:
                many = bool(item["all"] or item["star"])
                self._add("(?s:.)" if item["all"] else item["one"], stays=many, skips=many)
            before = item.lastgroup or ""
        self._begin, self._end = self._closed(1), self._here()
        # A folder's path is asked for just before those in it.
        self._last = "", self._begin

    def _here(self) -> int:
        return 1 << len(self._ones)

    def _add(self, one: str, *, stays: bool = False, skips: bool = False) -> None:
        self._stays |= self._here() * stays
        self._skips_one |= self._here() * skips
        self._ones.append(re.compile(one, re.ASCII))

    def match(self, text: str) -> bool | None:
        """Return True if the whole text matches, else None."""
        before, at = self._last if text.startswith(self._last[0]) else ("", self._begin)
        for character in text[len(before) :]:
            goes, stays = self._known(character)
            at = self._closed((at & goes) << 1 | at & stays)
            if not at:
                break
        self._last = text, at
        return True if at & self._end else None

    def _known(self, character: str) -> tuple[int, int]:
        """Return the positions that advance on this character, and those that stay."""
        if character not in self._by_character:
            fits = sum(1 << at for at, one in enumerate(self._ones) if one.match(character))
            self._by_character[character] = fits & ~self._stays, fits & self._stays
        return self._by_character[character]

    def _closed(self, at: int) -> int:
        """Add the positions that can be reached without a character."""
        while True:
            more = at | (at & self._skips_one) << 1 | (at & self._skips_three) << 3
            if more == at:
                return at
            at = more
