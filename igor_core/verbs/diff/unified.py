"""Two versions of a path as a unified diff, or as words where they aren't both text."""

import asyncio
import os
import tempfile
import time
import unicodedata
from collections.abc import Iterator

from igor_core.errors import IgorError
from igor_core.verbs.diff.side import LARGE, Side
from igor_core.worktree.files import shown

_COLOURS = {b"-": b"31", b"+": b"32", b"@": b"36", b" ": b"", b"\\": b""}
_STRONG = b"1"
_KINDS = {"d": "folder", "p": "fifo", "s": "socket", "b": "device", "c": "device"}


async def difference(
    there: Side, here: Side, why: str, *, colour: bool, screen: bool = False
) -> bytes:
    """What differs, from the host's version to the local one; empty where nothing does.

    `why` says why the path is held back, if it is. For a `screen`, what would command a terminal is
    shown instead; elsewhere, as for patch(1), each byte stays. Raises IgorError.
    """
    if there.is_like(here):
        return b""
    head = f"diff {there.name} {here.name}" + f": {why}" * bool(why)
    lines = [(_STRONG, _encoded(head))]
    lines += [
        (_STRONG, _encoded(f"--- {_named(there)}")),
        (_STRONG, _encoded(f"+++ {_named(here)}")),
    ]
    if _is_unified(there, here):
        compared = await _unified(there.content or b"", here.content or b"")
        lines += [(_COLOURS[line[:1]], line) for line in compared]
        lines += _modes(there, here)
    else:
        lines += _words(there, here)
    if screen:
        lines = [(code, harmless(line)) for code, line in lines]
    return b"".join(_painted(code if colour else b"", line) for code, line in lines)


def harmless(line: bytes) -> bytes:
    """With controls but tabs, and bytes that are no UTF-8, as escapes (`\\x1b`).

    A file on a host may hold what sets the clipboard or the title, or moves the cursor.
    """
    text = line.decode("utf-8", "surrogateescape")
    end = "\r" if text.endswith("\r") else ""
    safe = "".join(
        char if char == "\t" or char.isprintable() else _escape(char)
        for char in text.removesuffix("\r")
    )
    return (safe + end).encode()


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8, see PEP 383
        return f"\\x{ord(char) - 0xDC00:02x}"
    if unicodedata.category(char) == "Zs":
        return char
    return char.encode("unicode_escape").decode("ascii")


def _is_unified(there: Side, here: Side) -> bool:
    sides = [side for side in (there, here) if side.exists]
    return bool(sides) and all(side.is_text for side in sides)


def _named(side: Side) -> str:
    """As in the header of `diff -u`: what is missing is /dev/null to patch, and said to be so."""
    return f"{side.name}\t{_when(side)}" if side.exists else f"/dev/null\t({side.name}: not there)"


def _when(side: Side) -> str:
    seconds, nanoseconds = divmod(side.mtime_ns, 10**9)
    local = time.localtime(seconds)
    return time.strftime(f"%Y-%m-%d %H:%M:%S.{nanoseconds:09d} %z", local)


def _words(there: Side, here: Side) -> Iterator[tuple[bytes, bytes]]:
    for sign, side in ((b"-", there), (b"+", here)):
        yield _COLOURS[sign], sign + _encoded(describe(side))


def _modes(there: Side, here: Side) -> Iterator[tuple[bytes, bytes]]:
    if there.kind == here.kind and (there.mode ^ here.mode) & 0o100:
        for sign, side in ((b"-", there), (b"+", here)):
            yield _COLOURS[sign], sign + b"mode %o" % side.mode


def describe(side: Side) -> str:
    """What is there, in words."""
    if not side.exists:
        return "nothing there"
    if side.kind == "l":
        return f"link to {shown(side.target)}"
    if side.kind != "f":
        return _KINDS.get(side.kind, "neither a file nor a link")
    size = f"{side.size:,} bytes, mode {side.mode:o}, sha256 {side.hash.hex()[:16] or 'unknown'}"
    if side.is_text:
        return f"text file, {size}"
    if side.content is not None:
        return f"binary file, {size}"
    if side.size > LARGE:
        return f"file too large to show, {size}"
    return f"file that can't be read, {size}"


async def _unified(there: bytes, here: bytes) -> list[bytes]:
    """The hunks of diff(1), which is fast, and keeps the agent's event loop free."""
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        for file, content in ((first, there), (second, here)):
            file.write(content)
            file.seek(0)
        descriptors = (first.fileno(), second.fileno())
        names = [f"/dev/fd/{descriptor}" for descriptor in descriptors]
        status, output, said = await _run_diff(names, descriptors)
    if status not in (0, 1):
        raise IgorError(
            f"diff failed: {said or f'exit status {status}'}", "is diffutils installed?"
        )
    return output.split(b"\n")[2:-1]


async def _run_diff(names: list[str], descriptors: tuple[int, int]) -> tuple[int, bytes, str]:
    try:
        process = await asyncio.create_subprocess_exec(
            "diff", "-a", "-u", *names, pass_fds=descriptors, env={**os.environ, "LC_ALL": "C"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError:
        raise IgorError("there is no program diff here", "install the package diffutils") from None
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    return process.returncode or 0, output, errors.decode("utf-8", "replace").strip()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _painted(code: bytes, line: bytes) -> bytes:
    """Colour ends before a carriage return, which would else be coloured away."""
    if not code:
        return line + b"\n"
    text, end = (line[:-1], b"\r") if line.endswith(b"\r") else (line, b"")
    return b"\x1b[" + code + b"m" + text + b"\x1b[0m" + end + b"\n"
