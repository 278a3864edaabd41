"""The local sh in place of a host's."""

import asyncio
from collections.abc import Mapping, Sequence

from tests.support.containers import Completed


class LocalShell:
    """The local machine as the host."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "",
    ) -> Completed:
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except FileNotFoundError as error:
            return Completed(127, b"", str(error).encode())
        stdout, stderr = await child.communicate(input)
        return Completed(child.returncode or 0, stdout, stderr)
