"""Embedded hosts: SSH servers on 127.0.0.1 that run commands as whoever started the demo.

Each listens on a free port, has keys of its own and a folder as its home. Only the demo's own key
logs in.
"""

import asyncio
import contextlib
import os
import pwd
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

ADDRESS = "127.0.0.1"
KEY = "ssh-ed25519"
CHUNK = 1 << 16
START_SECONDS = 20.0
END_SECONDS = 5.0


@dataclass(frozen=True)
class EmbeddedHost:
    """A running host; `host_key` is a public key in the form of known_hosts."""

    name: str
    home: Path
    port: int
    host_key: str


def login_shell() -> str:
    """The user's shell; sh if that one runs no commands (nologin)."""
    shell = pwd.getpwuid(os.getuid()).pw_shell
    is_shell = os.access(shell, os.X_OK) and not shell.endswith(("nologin", "false"))
    return shell if is_shell else "/bin/sh"


@contextlib.contextmanager
def running_hosts(
    names: Sequence[str], folder: Path, client_key: str, environment: Mapping[str, str]
) -> Iterator[list[EmbeddedHost]]:
    """Run hosts with homes in `folder` until the block ends, which ends their commands too."""
    for name in names:
        (folder / name).mkdir(parents=True)
    servers = _Servers(client_key, environment)
    thread = threading.Thread(target=servers.loop.run_forever, name="embedded hosts", daemon=True)
    thread.start()
    try:
        yield [servers.call(servers.start(name, folder / name)) for name in names]
    finally:
        servers.call(servers.stop())
        servers.loop.call_soon_threadsafe(servers.loop.stop)
        thread.join(END_SECONDS)


class _Servers:
    """The servers of all hosts, on their own event loop."""

    def __init__(self, client_key: str, environment: Mapping[str, str]) -> None:
        self.loop = asyncio.new_event_loop()
        self._client_key = client_key
        self._environment = environment
        self._listening: list[asyncssh.SSHAcceptor] = []
        self._running: set[asyncio.subprocess.Process] = set()

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_SECONDS)

    async def start(self, name: str, home: Path) -> EmbeddedHost:
        key = asyncssh.generate_private_key(KEY)
        listening = await asyncssh.listen(
            ADDRESS,
            0,
            server_host_keys=[key],
            authorized_client_keys=asyncssh.import_authorized_keys(self._client_key),
            process_factory=lambda process: self._serve(process, home),
            encoding=None,
            line_editor=False,
        )
        self._listening.append(listening)
        public = key.export_public_key().decode("ascii").strip()
        return EmbeddedHost(name, home, listening.get_port(), public)

    async def stop(self) -> None:
        """Stop listening; commands end with their connections, or are ended."""
        for listening in self._listening:
            listening.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._all_ended(), END_SECONDS)
        for child in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    async def _all_ended(self) -> None:
        await asyncio.gather(*(child.wait() for child in self._running))

    async def _serve(self, process: "asyncssh.SSHServerProcess[bytes]", home: Path) -> None:
        """Run a client's command as sshd does: with the login shell, in the home."""
        if process.command is None:
            process.stderr.write(b"The demo's hosts run commands only: ssh HOST COMMAND\r\n")
            process.exit(1)
            return
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            login_shell(), "-c", process.command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=home,
            env={**self._environment, "HOME": str(home)}, start_new_session=True,
        )  # fmt: skip
        self._running.add(child)
        feeding = asyncio.ensure_future(_feed(process, child))
        await asyncio.gather(
            _drain(child.stdout, process.stdout), _drain(child.stderr, process.stderr)
        )
        status = await child.wait()
        self._running.discard(child)
        feeding.cancel()
        process.exit(status if status >= 0 else 128 - status)


async def _feed(
    process: "asyncssh.SSHServerProcess[bytes]", child: asyncio.subprocess.Process
) -> None:
    """Copy the client's input; its end, or the connection's, is the command's end of input."""
    assert child.stdin is not None
    try:
        while data := await process.stdin.read(CHUNK):
            child.stdin.write(data)
            await child.stdin.drain()
    except (asyncssh.Error, asyncssh.TerminalSizeChanged, ConnectionError):
        pass
    finally:
        child.stdin.close()


async def _drain(source: asyncio.StreamReader | None, target: Any) -> None:
    """Copy to the client, until it is gone."""
    assert source is not None
    while data := await source.read(CHUNK):
        with contextlib.suppress(asyncssh.Error, OSError):
            target.write(data)
            await target.drain()
