"""The one owner of rsync: sends a list of files over the agent's own connection."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.errors import HostError, IgorError
from igor_core.own_folder import FUNCTIONS, UNSAFE_STATUS
from igor_core.paths import unsafe_hint
from igor_core.push.transport import rsync_shell
from igor_core.push.transport.shell_survey import hint_for
from igor_core.shapes import words
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process

# (bytes sent, bytes a second, files that are complete)
OnProgress = Callable[[int, float, int], None]

# rsync(1), "EXIT VALUES": some files changed or vanished while they were sent.
PARTIAL = (23, 24)
# What a shell, env or igor's supervisor say of a program that does not exist.
NOT_FOUND = 127
# Each end may say so much.
MOST_PIECES, PIECE_BYTES = 256, 1 << 12
# From this version on rsync keeps nanoseconds where seconds are equal.
NEEDED = "3.1.3"

_PROGRESS = re.compile(
    rb"^\s*(\d{1,18})\s+\d+%\s+(\d{1,18}(?:\.\d{1,9})?)([kMGT]?)B/s(?:.*xfr#(\d{1,18}))?"
)
_FACTORS = {b"": 1.0, b"k": 1e3, b"M": 1e6, b"G": 1e9, b"T": 1e12}
# 'rsync: [receiver] mkstemp "/…" failed: Permission denied (13)'
_REASON = re.compile(r"^rsync: .*: ([^:]+) \(\d+\)$", re.MULTILINE)


@dataclass
class Said:
    """What both ends of rsync wrote to standard error, and how the far one ended.

    Of what each wrote the beginning, with the first reason, and the end are kept.
    """

    here: list[bytes] = field(default_factory=list)
    there: list[bytes] = field(default_factory=list)
    lost: bool = False
    far_status: int | None = None

    @property
    def text(self) -> str:
        return b"".join([*self.there, *self.here]).decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """The first reason that rsync gives for a file; empty where it gives none."""
        found = _REASON.search(self.text)
        return words(found[1]) if found else ""


# $1 is the tree, $2 the folder for temp files, then rsync. It writes where it is: what the name of
# the tree leads to meanwhile is nothing to it.
_FAR = FUNCTIONS + '(at "$2") || exit; at "$1"; shift 2; exec "$@"'


def arguments(root: Path, temporary: str) -> list[str]:
    """rsync's command line; the far one is started in the tree.

    The files come on standard input, separated by NUL.
    """
    shell = [sys.executable, "-I", "-S", str(Path(rsync_shell.__file__))]
    return [
        "rsync",
        "--links", "--perms", "--times",
        "--files-from=-", "--from0",
        # Folders that exist on the host keep their modes and times.
        "--no-implied-dirs",
        # What is in the list differs: igor has decided so by nanoseconds and content, and
        # rsync's quick check compares whole seconds unless it is told otherwise.
        "--ignore-times", "--modify-window=-1",
        f"--temp-dir={temporary}",
        # No word of ours is read by a shell on the host.
        "-s",
        "--no-human-readable", "--info=progress2", "--outbuf=L",
        "-e", " ".join(_quoted(word) for word in shell),
        "--", f"{root}/", "igor:./",
    ]  # fmt: skip


def _quoted(word: str) -> str:
    """rsync(1), --rsh: a quote inside quotes is doubled."""
    return "'" + word.replace("'", "''") + "'"


def environment(descriptor: int) -> dict[str, str]:
    """Ours without what would change rsync's options (RSYNC_ICONV, RSYNC_OLD_ARGS, …)."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith("RSYNC_")}
    return {**kept, "IGOR_RSYNC_FD": str(descriptor), "LC_ALL": "C"}


async def send(
    host: RemoteHost,
    root: Path,
    tree: str,
    temporary: str,
    files: Iterable[bytes],
    on_progress: OnProgress,
) -> str | None:
    """Send files from `root` to `tree` on the host; each appears there whole or not at all.

    None when all have arrived; otherwise some changed or vanished meanwhile or could not be
    read or written, and the text is rsync's first reason, if it gave one. Raises HostError when
    the transfer as a whole failed.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        rsync = await _start(arguments(root, temporary), theirs)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    said = Said()
    relay = asyncio.ensure_future(_relay(host, ours, said, (tree, temporary)))
    try:
        await asyncio.gather(
            _feed(rsync, files),
            _follow(rsync, on_progress),
            _collect(rsync, said),
        )
        status = await rsync.wait()
        await relay
        # ssh would end as the far rsync did, and rsync hears of what failed there by just that.
        status = status or said.far_status or 0
    except BaseException:
        relay.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(rsync.pid, signal.SIGKILL)
        raise
    if status not in (0, *PARTIAL):
        raise failure(host.name, status, said)
    return said.reason if status else None


async def _start(argv: list[str], channel: socket.socket) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(channel.fileno()),
            pass_fds=(channel.fileno(),),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise IgorError("rsync is not installed here", "install the package rsync") from None


async def _feed(rsync: asyncio.subprocess.Process, files: Iterable[bytes]) -> None:
    assert rsync.stdin is not None
    with contextlib.suppress(ConnectionError):
        # Without "./" a name that begins with "#" or ";" would be a comment.
        rsync.stdin.write(b"".join(b"./" + path + b"\0" for path in files))
        await rsync.stdin.drain()
    rsync.stdin.close()


async def _follow(rsync: asyncio.subprocess.Process, on_progress: OnProgress) -> None:
    """rsync redraws one line: a carriage return before each new state."""
    assert rsync.stdout is not None
    line, files = b"", 0
    while data := await rsync.stdout.read(4096):
        *lines, line = (line[-PIECE_BYTES:] + data).replace(b"\n", b"\r").split(b"\r")
        for found in map(_PROGRESS.match, lines):
            if found:
                files = int(found[4] or files)
                on_progress(int(found[1]), float(found[2]) * _FACTORS[found[3]], files)


async def _collect(rsync: asyncio.subprocess.Process, said: Said) -> None:
    assert rsync.stderr is not None
    while data := await rsync.stderr.read(4096):
        _keep(said.here, data)


def _keep(pieces: list[bytes], data: bytes) -> None:
    """The first so many pieces, and the last."""
    if len(pieces) < MOST_PIECES:
        pieces.append(data[:PIECE_BYTES])
    else:
        pieces[-1] = data[-PIECE_BYTES:]


async def _relay(
    host: RemoteHost, ours: socket.socket, said: Said, folders: tuple[str, str]
) -> None:
    """Run what rsync asks for on the host, and copy both ways until that ends."""
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        words = (await reader.readexactly(length)).split(b"\0")
        # Before "rsync" stand the words that were for ssh: the host's name.
        rsync = [os.fsdecode(word) for word in words[words.index(b"rsync") :]]
        argv = ["sh", "-c", _FAR, "igor", *folders, *rsync]
        async with host.process(Command(argv, cwd="/", env=_FAR_ENVIRONMENT)) as process:
            upward = asyncio.ensure_future(_upward(reader, process))
            try:
                await _downward(process, writer, said)
            finally:
                upward.cancel()
            said.far_status, said.lost = process.status, process.lost
            said.there.append(process.error.encode())
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


_FAR_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C"}


async def _upward(reader: asyncio.StreamReader, process: Process) -> None:
    while data := await reader.read(1 << 17):
        await process.write(data)
    process.write_eof()


async def _downward(process: Process, writer: asyncio.StreamWriter, said: Said) -> None:
    while (item := await process.read()) is not None:
        if item[0] == "stderr":
            _keep(said.there, item[1])
        else:
            writer.write(item[1])
            await writer.drain()


def failure(host: str, status: int, said: Said) -> IgorError:
    """What a transfer that failed as a whole tells the user."""
    if said.lost:
        return HostError(
            f"the connection to {host} was lost during the push",
            "nothing half-written is in the tree; push again",
        )
    if said.far_status == NOT_FOUND:
        return HostError(f"{host} has no rsync", "install the package rsync there")
    if said.far_status == UNSAFE_STATUS:
        reason = said.text.strip().splitlines()[0]
        return HostError(f"{host}: {reason}", unsafe_hint('"dir"'))
    if "is your shell clean" in said.text:
        return HostError(
            f"{host}: the login shell prints something before rsync starts",
            f"this must print nothing: ssh {host} true",
        )
    if "unknown option" in said.text:
        place = host if said.far_status is not None else "this machine"
        return HostError(f"rsync on {place} is too old", f"{NEEDED} or later is needed")
    reason = said.reason or (f"ended by signal {-status}" if status < 0 else f"status {status}")
    return HostError(f"{host}: rsync failed: {reason}", hint_for(reason))
