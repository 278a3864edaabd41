"""Translate wildcards to a regular expression that a hostile pattern can't make slow.

Python's expressions backtrack: for `*a*a*a*b` on "aaaa…" they try each way to spread the bytes
over the stars. That is not needed: the first place where the text after a star fits is as good as
any later one, since the next star takes the bytes between. So each star but the last keeps its
first place. A look-ahead that repeats its group does that; Python 3.10 has no atomic groups.
"""

from collections.abc import Iterator

#: Within one name; over folders as well; nothing, or whole folders with the "/" behind them.
IN_FOLDER, ANYTHING, FOLDERS = rb"[^/]*", rb".*", rb"(?:.*/)?"
_FIRST = {IN_FOLDER: rb"[^/]*?", ANYTHING: rb".*?", FOLDERS: rb"(?:.*?/)??"}
#: No path has more bytes.
_LONGEST_PATH = 4096
NEVER = rb"(?!)"


def linear(parts: list[bytes]) -> bytes:
    """Join wildcards and expressions of one byte each.

    Next to an IN_FOLDER, all other wildcards must begin and end at a "/" or an end of the text.
    """
    if sum(part not in _FIRST for part in parts) > _LONGEST_PATH:
        return NEVER
    runs = list(_split(parts, (ANYTHING, FOLDERS)))
    found, last = [], len(runs) - 1
    for number, run in enumerate(runs):
        inner = list(_split(run[1:], (IN_FOLDER,)))
        name = b"n%d_" % number
        texts = [
            _run(piece, name + b"%d" % at, number == last and at == len(inner) - 1)
            for at, piece in enumerate(inner)
        ]
        found.append(_run([run[0], *texts], name, number == last))
    return b"".join(found)


def _split(parts: list[bytes], wildcards: tuple[bytes, ...]) -> Iterator[list[bytes]]:
    """Cut the parts before each of the wildcards; the first run has an empty one in front."""
    run = [b""]
    for part in parts:
        if part in wildcards:
            yield run
            run = [part]
        else:
            run.append(part)
    yield run


def _run(run: list[bytes], name: bytes, is_last: bool) -> bytes:
    wildcard, text = run[0], b"".join(run[1:])
    if is_last or not wildcard:
        return wildcard + text
    return b"(?=(?P<%s>%s%s))(?P=%s)" % (name, _FIRST[wildcard], text, name)
