"""Fetching a host's version of a file."""

import asyncio
import hashlib
import os
from typing import BinaryIO

from igor_core.errors import HostError
from igor_core.shapes import words
from igor_core.ssh.process import Command
from igor_core.verbs.diff.compare import Comparison, Pair

MOST_ERROR_BYTES = 4000


async def fetch(comparison: Comparison, pair: Pair, file: BinaryIO) -> BinaryIO:
    """Copy the host's file into `file`. Raises HostError if it is not as it was compared."""
    # One byte more shows whether the file has grown.
    path = f"{comparison.tree}/{os.fsdecode(pair.path)}"
    command = Command(["head", "-c", str(pair.host.size + 1), "--", path])
    digest, said, left = hashlib.sha256(), b"", pair.host.size
    async with comparison.target.remote.process(command) as process:
        while (item := await process.read()) is not None:
            stream, data = item
            if stream == "stdout":
                left -= len(data)
                if left < 0:
                    raise HostError("it has grown on the host since it was compared")
                digest.update(data)
                await asyncio.to_thread(file.write, data)
            else:
                said = (said + data)[-MOST_ERROR_BYTES:]
    if process.status != 0:
        reason = process.error or said.decode("utf-8", "replace").strip().rpartition(": ")[2]
        raise HostError(words(reason) or "the host can't read it")
    if digest.digest() != pair.host.hash:
        raise HostError("it changed on the host while it was read")
    return file
