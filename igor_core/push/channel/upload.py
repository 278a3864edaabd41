"""Uploading a file of any size to the receiver, in chunks."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from igor_core.push.channel.answers import Answer, read_answer
from igor_core.push.channel.requests import Requests
from igor_core.remote.receiver import frames
from igor_core.shapes import WrongShape

CHANGED_LOCALLY = "changed locally while it was sent"
_CHUNK = 1 << 18


class Upload:
    """One file that is being sent."""

    def __init__(
        self,
        requests: Requests,
        source: BinaryIO,
        size: int,
        mtime_ns: int,
        on_progress: Callable[[int], None],
    ) -> None:
        self._requests = requests
        self._source = source
        self._size = size
        self._mtime_ns = mtime_ns
        self._on_progress = on_progress
        self._digest = hashlib.sha256()
        self._sent = 0
        self._taken = 0

    async def send(self, target: bytes) -> Answer:
        """Raises HostError; OSError where the source can't be read."""
        size = frames.SIZE.pack(self._size)
        number, answer = self._requests.begin_upload(self._take, target, size)
        try:
            await self._send_chunks(number, answer)
            if not answer.done() and not await asyncio.to_thread(self._is_as_seen):
                self._abort(number)
                return Answer(ok=False, reason=CHANGED_LOCALLY)
            self._requests.commit(number)
            found = await answer
        except BaseException:
            self._abort(number)
            raise
        return replace(found, hash=self._digest.digest()) if found.ok else found

    async def _send_chunks(self, number: int, answer: "asyncio.Future[Answer]") -> None:
        while self._sent < self._size and not answer.done():
            chunk = await asyncio.to_thread(self._read)
            if not chunk:
                return
            self._sent += len(chunk)
            self._requests.send_chunk(number, chunk)
            await self._requests.drain()

    def _read(self) -> bytes:
        chunk = self._source.read(min(_CHUNK, self._size - self._sent))
        self._digest.update(chunk)
        return chunk

    def _is_as_seen(self) -> bool:
        found = os.fstat(self._source.fileno())
        seen = (self._size, self._mtime_ns)
        return self._sent == self._size and (found.st_size, found.st_mtime_ns) == seen

    def _abort(self, number: int) -> None:
        self._requests.forget(number)
        if self._requests.alive:
            self._requests.tell(frames.ABORT, number=number)

    def _take(self, kind: int, payload: bytes) -> Answer | None:
        if kind == frames.ANSWER:
            return read_answer(payload)
        if kind != frames.TAKEN:
            raise WrongShape(f"a frame of kind {kind} in answer to an upload")
        (count,) = frames.NUMBER.unpack(payload)
        self._taken += count
        self._on_progress(self._taken)
        return None
