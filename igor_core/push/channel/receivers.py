"""The channels to the receivers of all hosts, opened on first use and again after a loss."""

import asyncio

from igor_core.push.channel.channel import Channel
from igor_core.ssh.host import RemoteHost


class Receivers:
    """Hands out one channel per host, for saves and surveys. Big transfers open their own."""

    def __init__(self) -> None:
        self._channels: dict[RemoteHost, Channel] = {}
        self._opening: dict[RemoteHost, asyncio.Task[Channel]] = {}

    async def channel(self, host: RemoteHost) -> Channel:
        """The channel of a connected host. Raises NoReceiver, HostError."""
        channel = self._channels.get(host)
        if channel is not None and channel.alive:
            return channel
        if host not in self._opening:
            task = self._opening[host] = asyncio.ensure_future(self._open(host))
            # All callers may be cancelled while it opens.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._opening[host])

    async def _open(self, host: RemoteHost) -> Channel:
        try:
            channel = self._channels[host] = await Channel.open(host)
            return channel
        finally:
            del self._opening[host]

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
