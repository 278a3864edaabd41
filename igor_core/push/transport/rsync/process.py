"""The one owner of rsync: sends a list of files over the agent's connection to a host."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.own_folder import FUNCTIONS
from igor_core.push.transport.rsync import remote_shell
from igor_core.push.transport.rsync.output import PARTIAL, PIECE_BYTES, RsyncOutput, failure, keep
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process

# (bytes sent, bytes per second, files that are complete)
OnProgress = Callable[[int, float, int], None]

_PROGRESS = re.compile(
    rb"^\s*(\d{1,18})\s+\d+%\s+(\d{1,18}(?:\.\d{1,9})?)([kMGT]?)B/s(?:.*xfr#(\d{1,18}))?"
)
_FACTORS = {b"": 1.0, b"k": 1e3, b"M": 1e6, b"G": 1e9, b"T": 1e12}
# $1 is the tree, $2 the folder for temp files, the rest is rsync's command line. rsync writes into
# the folder that it is started in, whatever the name of the tree leads to meanwhile.
_REMOTE_SCRIPT = FUNCTIONS + '(at "$2") || exit; at "$1"; shift 2; exec "$@"'


def arguments(root: Path, temporary: str) -> list[str]:
    """The local rsync's command line. It reads the files from standard input, separated by NUL."""
    shell = [sys.executable, "-I", "-S", str(Path(remote_shell.__file__))]
    return [
        "rsync",
        "--links", "--perms", "--times",
        "--files-from=-", "--from0",
        # Existing folders on the host keep their modes and times.
        "--no-implied-dirs",
        # Igor has decided by nanoseconds and content that these files differ. rsync's own quick
        # check compares whole seconds.
        "--ignore-times", "--modify-window=-1",
        f"--temp-dir={temporary}",
        # Do not let a shell on the host expand file names.
        "-s",
        "--no-human-readable", "--info=progress2", "--outbuf=L",
        "-e", " ".join(_quoted(word) for word in shell),
        "--", f"{root}/", "igor:./",
    ]  # fmt: skip


def _quoted(word: str) -> str:
    """Quote for --rsh, where a quote inside of quotes is doubled, see rsync(1)."""
    return "'" + word.replace("'", "''") + "'"


def environment(descriptor: int) -> dict[str, str]:
    """The agent's environment without RSYNC_ variables, which would change rsync's options."""
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
    """Send files from `root` to `tree` on the host; each appears whole or not at all.

    Return None if all have arrived. Otherwise some changed, vanished, or could not be read or
    written; return rsync's first reason, which may be empty. Raises HostError if the whole
    transfer failed.
    """
    near, far = socket.socketpair()
    near.setblocking(False)
    try:
        rsync = await _start(arguments(root, temporary), far)
    except BaseException:
        near.close()
        raise
    finally:
        far.close()
    output = RsyncOutput()
    relay = asyncio.ensure_future(_relay(host, near, output, (tree, temporary)))
    try:
        await asyncio.gather(
            _feed(rsync, files),
            _follow(rsync, on_progress),
            _collect(rsync, output),
        )
        status = await rsync.wait()
        await relay
        # The local rsync takes the remote one's status from ssh, whose place igor takes.
        status = status or output.remote_status or 0
    except BaseException:
        relay.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(rsync.pid, signal.SIGKILL)
        raise
    if status not in (0, *PARTIAL):
        raise failure(host.name, status, output)
    return output.reason if status else None


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
        raise IgorError(
            "rsync is not installed on this machine", "install the package rsync"
        ) from None


async def _feed(rsync: asyncio.subprocess.Process, files: Iterable[bytes]) -> None:
    assert rsync.stdin is not None
    with contextlib.suppress(ConnectionError):
        # Without "./" rsync takes a name that begins with "#" or ";" for a comment.
        rsync.stdin.write(b"".join(b"./" + path + b"\0" for path in files))
        await rsync.stdin.drain()
    rsync.stdin.close()


async def _follow(rsync: asyncio.subprocess.Process, on_progress: OnProgress) -> None:
    """Read rsync's progress line, which it redraws after each carriage return."""
    assert rsync.stdout is not None
    line, files = b"", 0
    while data := await rsync.stdout.read(4096):
        *lines, line = (line[-PIECE_BYTES:] + data).replace(b"\n", b"\r").split(b"\r")
        for found in map(_PROGRESS.match, lines):
            if found:
                files = int(found[4] or files)
                on_progress(int(found[1]), float(found[2]) * _FACTORS[found[3]], files)


async def _collect(rsync: asyncio.subprocess.Process, output: RsyncOutput) -> None:
    assert rsync.stderr is not None
    while data := await rsync.stderr.read(4096):
        keep(output.local, data)


async def _relay(
    host: RemoteHost, near: socket.socket, output: RsyncOutput, folders: tuple[str, str]
) -> None:
    """Run on the host what the local rsync asks for, and copy both ways until it ends."""
    reader, writer = await asyncio.open_connection(sock=near)
    try:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        words = (await reader.readexactly(length)).split(b"\0")
        # The words before "rsync" are ssh's: the host's name.
        rsync = [os.fsdecode(word) for word in words[words.index(b"rsync") :]]
        argv = ["sh", "-c", _REMOTE_SCRIPT, "igor", *folders, *rsync]
        async with host.process(Command(argv, cwd="/", env=_REMOTE_ENVIRONMENT)) as process:
            upward = asyncio.ensure_future(_upward(reader, process))
            try:
                await _downward(process, writer, output)
            finally:
                upward.cancel()
            output.remote_status, output.lost = process.status, process.lost
            output.remote.append(process.error.encode())
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


_REMOTE_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C"}


async def _upward(reader: asyncio.StreamReader, process: Process) -> None:
    while data := await reader.read(1 << 17):
        await process.write(data)
    process.write_eof()


async def _downward(process: Process, writer: asyncio.StreamWriter, output: RsyncOutput) -> None:
    while (item := await process.read()) is not None:
        if item[0] == "stderr":
            keep(output.remote, item[1])
        else:
            writer.write(item[1])
            await writer.drain()
