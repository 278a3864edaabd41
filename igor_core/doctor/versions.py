"""Version numbers as programs print them, and which ones igor needs."""

import re

# 3.1.3 is the first whose --modify-window=-1 compares nanoseconds (rsync's NEWS).
RSYNC = (3, 1, 3)
# See runtime.py.
ENGINES = {"docker": (20, 10), "podman": (4, 0)}


def numbers(text: str) -> tuple[int, ...]:
    """The first version number in a text: (3, 2, 7) for "rsync  version 3.2.7"; () for none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
