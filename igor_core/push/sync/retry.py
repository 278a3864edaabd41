"""Bringing one host up to date in the background, and coming back to it when it was lost."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Protocol

from igor_core.errors import IgorError, NeedsLogin
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login

log = logging.getLogger(__name__)

# The waits before a lost host is tried again, in seconds.
FIRST_RETRY = 1.0
LAST_RETRY = 30.0


class Followed(Protocol):
    """What is kept up to date: a host's tree, see freshness.py."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do now."""
        ...

    def open(self) -> Awaitable[None]:
        """Make ready what is connected. Raises IgorError."""
        ...

    def catch_up(self) -> Awaitable[None]:
        """Bring what is connected up to date. Raises IgorError."""
        ...

    def tell(self, error: IgorError | None) -> None:
        """An attempt has ended; `error` says why it has failed, if it has."""
        ...


class Retry:
    """Tries as long as it follows, at once when nudged. Nobody is ever asked anything."""

    def __init__(self, remote: RemoteHost, followed: Followed) -> None:
        self._remote = remote
        self._followed = followed
        self._wanted = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._environment: Mapping[str, str] = {}
        self._refused: Mapping[str, str] | None = None

    @property
    def follows(self) -> bool:
        return self._following is not None

    def follow(self, environment: Mapping[str, str]) -> None:
        """Keep the host up to date from now on; `environment` has what a login needs."""
        self._environment = environment
        if self._following is None:
            self._following = asyncio.ensure_future(self._follow())
        self.nudge()

    def unfollow(self) -> None:
        for task in (self._following, self._warming):
            if task is not None:
                task.cancel()
        self._following = self._warming = None
        self._cancel_retry()

    def warm(self, environment: Mapping[str, str]) -> None:
        """Be connected before the first command, if that can be had without asking anybody."""
        if self._following is None and self._remote.state == "not connected":
            self._warming = asyncio.ensure_future(self._warm(environment))

    def nudge(self) -> None:
        """Try at once, without waiting for the time of the next attempt."""
        self._wanted.set()

    def try_again(self, seconds: float = FIRST_RETRY) -> None:
        """After so many seconds, or sooner where that is planned already."""
        loop = asyncio.get_running_loop()
        planned = self._retry is not None and self._retry.when() <= loop.time() + seconds
        if self._following is not None and not planned:
            self._cancel_retry()
            self._retry = loop.call_later(seconds, self.nudge)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    async def _warm(self, environment: Mapping[str, str]) -> None:
        try:
            await self._remote.connect(Login(None, environment))
            await self._followed.open()
        except IgorError as error:
            self._followed.tell(error)

    async def _follow(self) -> None:
        delay = FIRST_RETRY
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._cancel_retry()
            if self._followed.is_done or self._is_refused():
                continue
            delay = await self._attempt(delay)

    async def _attempt(self, delay: float) -> float:
        """How long to wait after the next attempt, should it fail; this one waits for `delay`."""
        environment = self._environment
        problem: IgorError | None = None
        try:
            await self._remote.connect(Login(None, environment))
            await self._followed.catch_up()
            delay = FIRST_RETRY
        except NeedsLogin as error:
            problem, self._refused = error, environment
        except IgorError as error:
            problem = error
            # What a connected host refuses, it mostly refuses until something changes.
            refused = self._remote.state == "connected"
            self.try_again(LAST_RETRY if refused else delay)
            delay = min(LAST_RETRY, delay * 2)
        except Exception as error:
            # The hosts are followed all the same.
            problem = bug(self._remote, error)
            self.try_again(LAST_RETRY)
        self._followed.tell(problem)
        return delay

    def _is_refused(self) -> bool:
        """Whether a person has to log in: what we could bring along was not enough."""
        return self._remote.state == "needs login" and self._environment == self._refused


def bug(remote: RemoteHost, error: BaseException) -> IgorError:
    """What the user is told of an error that nobody has foreseen; the log has the rest."""
    log.error("%s could not be brought up to date", remote.name, exc_info=error)
    return IgorError(f"this is a bug in igor: {type(error).__name__}: {error}")
