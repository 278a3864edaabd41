"""One client's connection to the agent: frames in, frames out."""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from igor_core import __version__
from igor_core.agent.jobs import AgentJob, Jobs
from igor_core.agent.protocol import (
    MAX_FRAME,
    PROTOCOL,
    Decoder,
    Frame,
    Kind,
    ProtocolError,
    encode,
)
from igor_core.agent.stream import Stream
from igor_core.events import Outcome

# Takes the project's folder, paths below it, and the variables that a login needs.
Saved = Callable[[str, Sequence[bytes], Mapping[str, str]], None]

log = logging.getLogger(__name__)

# Limits for a client that reads nothing. Above the first, it gets no progress events, since only
# the latest counts; above the second, it is dropped. Output waits for credit long before.
SLOW_BYTES = 1 << 20
STUCK_BYTES = 2 * MAX_FRAME
READ_BYTES = 1 << 18
MOST_NAME = 100


def peer_uid(connection: socket.socket) -> int:
    """Return the peer's user on a unix socket (SO_PEERCRED, unix(7); LOCAL_PEERCRED on BSD)."""
    if not hasattr(socket, "SO_PEERCRED"):
        # struct xucred: version, user, groups.
        return int(struct.unpack_from("II", connection.getsockopt(0, 1, 76))[1])
    size = struct.calcsize("3i")
    _pid, uid, _gid = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return int(uid)


class Connection:
    """Handles a client's frames; listens to the jobs that the client asked for."""

    def __init__(
        self,
        jobs: Jobs,
        stop_agent: Callable[[str], None],
        saved: Saved,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.name = "?"
        self.answers = False
        self.env: Mapping[str, str] = {}
        self._all_jobs = jobs
        self._stop_agent = stop_agent
        self._saved = saved
        self._writer = writer
        self._greeted = False
        self._jobs: dict[int, AgentJob] = {}
        self._streams: dict[int, Stream] = {}
        self._stream_numbers = itertools.count(2, 2)

    async def serve(self) -> None:
        """Handle frames until the client disconnects, then detach its jobs."""
        try:
            await self._read()
        except ProtocolError as error:
            log.warning("a client is dropped: %s", error)
        except ConnectionError:
            pass
        except Exception:
            log.exception("a client is dropped")
        finally:
            for job in list(self._jobs.values()):
                job.detach()
            self._writer.close()

    async def _read(self) -> None:
        peer = self._writer.get_extra_info("socket")
        if peer_uid(peer) != os.getuid():
            log.warning("a client of another user is dropped")
            return
        # When a write fails, asyncio drops all unread input: the last save of an editor that quit
        # while the agent wrote to it. So frames are read apart from asyncio's transport.
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        with peer.dup() as incoming:
            incoming.setblocking(False)
            decoder = Decoder()
            while data := await asyncio.get_running_loop().sock_recv(incoming, READ_BYTES):
                for frame in decoder.feed(data):
                    self._obey(frame)

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        waiting = self._writer.transport.get_write_buffer_size()
        if kind is Kind.EVENT and waiting > SLOW_BYTES and fields[0]["type"] == "progress":
            return
        self._write(encode(kind, ident, *fields))
        if waiting > STUCK_BYTES:
            log.warning("the client %s is dropped: it does not read", self.name)
            with contextlib.suppress(OSError):
                self._writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            self._writer.transport.abort()

    def finished(self, ident: int, outcome: dict[str, Any]) -> None:
        """Send a job's outcome. Leave out parts that can't be sent, but never the status."""
        self._jobs.pop(ident, None)
        try:
            frame = encode(Kind.FINISHED, ident, outcome)
        except (ProtocolError, TypeError, ValueError, OverflowError) as error:
            log.exception("an outcome can't be sent")
            message = f"the outcome can't be told: {error}"
            bare = Outcome(outcome["status"] or 1, outcome["error"] or message, outcome["hint"])
            frame = encode(Kind.FINISHED, ident, bare.to_wire())
        self._write(frame)

    def _write(self, frame: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._writer.write(frame)

    def drop_stream(self, number: int) -> None:
        self._streams.pop(number, None)

    def new_stream(self, stream: Stream) -> int:
        number = next(self._stream_numbers)
        self._streams[number] = stream
        return number

    def _obey(self, frame: Frame) -> None:
        kind, ident, *fields = frame
        if kind is Kind.HELLO:
            self._greet(*fields[:3])
        elif not self._greeted:
            raise ProtocolError("a client must say HELLO first")
        elif kind is Kind.REQUEST:
            self._request(ident, *fields[:3])
        elif kind in (Kind.CANCEL, Kind.ANSWER):
            self._about_job(kind, ident, fields)
        elif kind is Kind.CREDIT:
            granting = self._jobs.get(ident) or self._streams.get(ident)
            if granting is not None:
                granting.granted(fields[0])
        elif kind is Kind.SAVE:
            self._saved(_folder(fields[0]), [_as_bytes(path) for path in fields[1]], self.env)
        elif kind in (Kind.BYTES, Kind.WINDOW, Kind.SIGNAL, Kind.EOF):
            self._about_stream(kind, ident, fields)
        else:
            raise ProtocolError(f"{kind.name} is not for an agent")

    def _greet(self, protocol: int, version: str, client: Mapping[str, Any]) -> None:
        if protocol != PROTOCOL or version != __version__:
            busy = bool(self._all_jobs.working())
            self.send(Kind.REFUSED, 0, PROTOCOL, __version__, busy, os.getpid())
            if not busy:
                self._stop_agent(f"a client of version {version} needs another agent")
            return
        env = client.get("env") or {}
        if not isinstance(env, dict):
            raise ProtocolError("a client's env is no map")
        self.name = str(client.get("name", "?"))[:MOST_NAME]
        self.answers = bool(client.get("answers"))
        self.env = {str(name): str(env[name]) for name in env}
        self._greeted = True
        self.send(Kind.WELCOME, 0, PROTOCOL, __version__, {"pid": os.getpid()})

    def _request(self, ident: int, verb: str, root: str, args: Mapping[str, Any]) -> None:
        if ident % 2 == 0 or ident in self._jobs:
            raise ProtocolError(f"{ident} can't be the number of a new request")
        self._jobs[ident] = self._all_jobs.start(ident, verb, _folder(root), args, self)

    def _about_job(self, kind: Kind, ident: int, fields: list[Any]) -> None:
        job = self._jobs.get(ident)
        if job is None:
            return
        if kind is Kind.CANCEL:
            job.cancel()
        else:
            job.answered(fields[0], fields[1])

    def _about_stream(self, kind: Kind, ident: int, fields: list[Any]) -> None:
        stream = self._streams.get(ident)
        if stream is None:
            return
        if kind is Kind.BYTES:
            stream.received(fields[0])
        elif kind is Kind.WINDOW:
            stream.resized(fields[0], fields[1])
        elif kind is Kind.SIGNAL:
            stream.signalled(fields[0])
        else:
            stream.ended()


def _folder(name: str) -> str:
    """Check a project's folder. Raises ProtocolError if it can't be a folder's name."""
    if "\0" in name:
        raise ProtocolError("a folder's name with NUL in it")
    return name


def _as_bytes(path: object) -> bytes:
    """Return a SAVE's path as bytes. Raises ProtocolError if it is neither text nor bytes."""
    if isinstance(path, str):
        return os.fsencode(path)
    if not isinstance(path, bytes):
        raise ProtocolError("a path is neither a text nor bytes")
    return path
