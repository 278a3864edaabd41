"""The one owner of rsync: sends a list of files over the agent's own connection."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from igor_core.errors import HostError, IgorError
from igor_core.push import rsync_shell
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process

# (bytes sent, bytes a second)
OnProgress = Callable[[int, float], None]

# rsync(1), "EXIT VALUES": some files changed or vanished while they were sent.
PARTIAL = (23, 24)

_PROGRESS = re.compile(rb"^\s*(\d+)\s+\d+%\s+([\d.]+)([kMGT]?)B/s")
_FACTORS = {b"": 1.0, b"k": 1e3, b"M": 1e6, b"G": 1e9, b"T": 1e12}


def arguments(root: Path, tree: str, temporary: str) -> list[str]:
    """rsync's command line. The files come on standard input, separated by NUL."""
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
        "--", f"{root}/", f"igor:{tree}/",
    ]  # fmt: skip


def _quoted(word: str) -> str:
    """rsync(1), --rsh: a quote inside quotes is doubled."""
    return "'" + word.replace("'", "''") + "'"


async def send(
    host: RemoteHost,
    root: Path,
    tree: str,
    temporary: str,
    files: Iterable[bytes],
    on_progress: OnProgress,
) -> bool:
    """Send files from `root` to `tree` on the host; each appears there whole or not at all.

    False when some changed or vanished meanwhile, or could not be written; raises HostError
    when the transfer as a whole failed.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    environment = {**os.environ, "IGOR_RSYNC_FD": str(theirs.fileno()), "LC_ALL": "C"}
    try:
        rsync = await asyncio.create_subprocess_exec(
            *arguments(root, tree, temporary),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    except FileNotFoundError:
        ours.close()
        raise IgorError("rsync is not installed here", "install the package rsync") from None
    finally:
        theirs.close()
    said: list[bytes] = []
    relay = asyncio.ensure_future(_relay(host, ours, said))
    try:
        await asyncio.gather(
            _feed(rsync, files),
            _follow(rsync, on_progress),
            _collect(rsync, said),
        )
        status = await rsync.wait()
        await relay
    except BaseException:
        relay.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(rsync.pid, signal.SIGKILL)
        raise
    if status not in (0, *PARTIAL):
        raise _failed(host, status, b"".join(said))
    return status == 0


async def _feed(rsync: asyncio.subprocess.Process, files: Iterable[bytes]) -> None:
    assert rsync.stdin is not None
    with contextlib.suppress(ConnectionError):
        rsync.stdin.write(b"".join(path + b"\0" for path in files))
        await rsync.stdin.drain()
    rsync.stdin.close()


async def _follow(rsync: asyncio.subprocess.Process, on_progress: OnProgress) -> None:
    """rsync redraws one line: a carriage return before each new state."""
    assert rsync.stdout is not None
    line = b""
    while data := await rsync.stdout.read(4096):
        *lines, line = (line + data).replace(b"\n", b"\r").split(b"\r")
        for found in map(_PROGRESS.match, lines):
            if found:
                on_progress(int(found[1]), float(found[2]) * _FACTORS[found[3]])


async def _collect(rsync: asyncio.subprocess.Process, said: list[bytes]) -> None:
    assert rsync.stderr is not None
    while data := await rsync.stderr.read(4096):
        said.append(data)


async def _relay(host: RemoteHost, ours: socket.socket, said: list[bytes]) -> None:
    """Run what rsync asks for on the host, and copy both ways until that ends."""
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        words = (await reader.readexactly(length)).split(b"\0")
        # Before "rsync" stand the words that were for ssh: the host's name.
        argv = [os.fsdecode(word) for word in words[words.index(b"rsync") :]]
        async with host.process(Command(argv, cwd="/")) as process:
            upward = asyncio.ensure_future(_upward(reader, process))
            try:
                await _downward(process, writer, said)
            finally:
                upward.cancel()
            if process.error:
                said.append(process.error.encode())
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _upward(reader: asyncio.StreamReader, process: Process) -> None:
    while data := await reader.read(1 << 17):
        await process.write(data)
    process.write_eof()


async def _downward(process: Process, writer: asyncio.StreamWriter, said: list[bytes]) -> None:
    while (item := await process.read()) is not None:
        if item[0] == "stderr":
            said.append(item[1])
        else:
            writer.write(item[1])
            await writer.drain()


def _failed(host: RemoteHost, status: int, said: bytes) -> HostError:
    text = said.decode("utf-8", "replace")
    if "rsync: No such file" in text:
        return HostError(f"{host.name} has no rsync", "install the package rsync there")
    if "connection to the host" in text:
        return HostError(f"the connection to {host.name} was lost during the push",
                         "nothing half-written is in the tree; push again")  # fmt: skip
    if "No space left" in text:
        return HostError(f"{host.name}: no space left on the device", "make room there")
    lines = [line for line in text.splitlines() if line.strip()]
    return HostError(f"{host.name}: rsync failed ({status}): {lines[0] if lines else '?'}")
