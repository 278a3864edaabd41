"""Two sides of a path as a unified diff, or in words if they are not both text."""

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
    host: Side, local: Side, why: str, *, colour: bool, screen: bool = False
) -> bytes:
    """The difference from the host's version to the local one; empty if there is none.

    `why` is why the path is held back, if it is. For a `screen` control characters are escaped;
    otherwise, as for patch(1), each byte stays. Raises IgorError.
    """
    if host.is_like(local):
        return b""
    head = f"diff {host.name} {local.name}" + f": {why}" * bool(why)
    lines = [(_STRONG, _encoded(head))]
    lines += [
        (_STRONG, _encoded(f"--- {_named(host)}")),
        (_STRONG, _encoded(f"+++ {_named(local)}")),
    ]
    if _is_unified(host, local):
        compared = await _unified(host.content or b"", local.content or b"")
        lines += [(_COLOURS[line[:1]], line) for line in compared]
        lines += _modes(host, local)
    else:
        lines += _words(host, local)
    if screen:
        lines = [(code, harmless(line)) for code, line in lines]
    return b"".join(_painted(code if colour else b"", line) for code, line in lines)


def harmless(line: bytes) -> bytes:
    """Escape control characters except tabs, and bytes that are not UTF-8 (`\\x1b`).

    A file on a host may hold sequences that set the clipboard or the title, or move the cursor.
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


def _is_unified(host: Side, local: Side) -> bool:
    sides = [side for side in (host, local) if side.exists]
    return bool(sides) and all(side.is_text for side in sides)


def _named(side: Side) -> str:
    """A name as in the header of `diff -u`; a missing file is /dev/null to patch(1)."""
    return (
        f"{side.name}\t{_when(side)}"
        if side.exists
        else f"/dev/null\t({side.name}: does not exist)"
    )


def _when(side: Side) -> str:
    seconds, nanoseconds = divmod(side.mtime_ns, 10**9)
    local = time.localtime(seconds)
    return time.strftime(f"%Y-%m-%d %H:%M:%S.{nanoseconds:09d} %z", local)


def _words(host: Side, local: Side) -> Iterator[tuple[bytes, bytes]]:
    for sign, side in ((b"-", host), (b"+", local)):
        yield _COLOURS[sign], sign + _encoded(describe(side))


def _modes(host: Side, local: Side) -> Iterator[tuple[bytes, bytes]]:
    if host.kind == local.kind and (host.mode ^ local.mode) & 0o100:
        for sign, side in ((b"-", host), (b"+", local)):
            yield _COLOURS[sign], sign + b"mode %o" % side.mode


def describe(side: Side) -> str:
    """One side in words."""
    if not side.exists:
        return "no file"
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


async def _unified(host: bytes, local: bytes) -> list[bytes]:
    """The hunks of diff(1), which is fast and does not block the event loop."""
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        for file, content in ((first, host), (second, local)):
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
        raise IgorError(
            "diff is not installed on this machine", "install the package diffutils"
        ) from None
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    return process.returncode or 0, output, errors.decode("utf-8", "replace").strip()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _painted(code: bytes, line: bytes) -> bytes:
    """Colour a line. The colour ends before a carriage return, so that it keeps its effect."""
    if not code:
        return line + b"\n"
    text, end = (line[:-1], b"\r") if line.endswith(b"\r") else (line, b"")
    return b"\x1b[" + code + b"m" + text + b"\x1b[0m" + end + b"\n"
