"""Bringing one host up to date in the background, again and again until it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from igor_core.errors import IgorError, NeedsLogin
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login

log = logging.getLogger(__name__)

# The waits before a lost host is tried again, in seconds.
FIRST_RETRY = 1.0
LAST_RETRY = 30.0


class Retry:
    """Connects and calls `catch_up` whenever it is nudged, until `is_done`. Asks nobody anything.

    `ended` gets the error of each attempt, None for a success. `catch_up` raises IgorError.
    """

    def __init__(
        self,
        remote: RemoteHost,
        *,
        is_done: Callable[[], bool],
        catch_up: Callable[[], Awaitable[None]],
        ended: Callable[[IgorError | None], None],
    ) -> None:
        self._remote = remote
        self._is_done = is_done
        self._catch_up = catch_up
        self._ended = ended
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._environment: Mapping[str, str] = {}
        self._refused: Mapping[str, str] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self, environment: Mapping[str, str], *, anew: bool = False) -> None:
        """Keep the host up to date from now on; `environment` has what a login needs.

        `anew`: a person looks, who may have mended what the last login failed of.
        """
        self._environment = environment
        if anew:
            self._refused = None
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        self.nudge()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self._cancel_retry()

    def nudge(self) -> None:
        """Try at once, without waiting for the next planned attempt."""
        self._wanted.set()

    def try_again(self, seconds: float = FIRST_RETRY) -> None:
        """Plan an attempt after so many seconds, unless an earlier one is planned."""
        loop = asyncio.get_running_loop()
        planned = self._retry is not None and self._retry.when() <= loop.time() + seconds
        if self._task is not None and not planned:
            self._cancel_retry()
            self._retry = loop.call_later(seconds, self.nudge)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    async def _run(self) -> None:
        delay = FIRST_RETRY
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._cancel_retry()
            if self._is_done() or self._is_refused():
                continue
            delay = await self._attempt(delay)

    async def _attempt(self, delay: float) -> float:
        """Try once; if it fails, plan the next attempt after `delay`. Return the delay after it."""
        environment = self._environment
        problem: IgorError | None = None
        try:
            await self._remote.connect(Login(None, environment))
            await self._catch_up()
            delay = FIRST_RETRY
        except NeedsLogin as error:
            problem, self._refused = error, environment
        except IgorError as error:
            problem = error
            # A connected host mostly refuses until something changes on it.
            refused = self._remote.state == "connected"
            self.try_again(LAST_RETRY if refused else delay)
            delay = min(LAST_RETRY, delay * 2)
        except Exception as error:
            # Keep on: the other attempts may succeed.
            problem = bug(self._remote, error)
            self.try_again(LAST_RETRY)
        self._ended(problem)
        return delay

    def _is_refused(self) -> bool:
        """Whether a person has to log in, because this environment was not enough."""
        return self._remote.state == "needs login" and self._environment == self._refused


def bug(remote: RemoteHost, error: BaseException) -> IgorError:
    """The error to show for an unexpected one, which goes to the log."""
    log.error("%s could not be brought up to date", remote.name, exc_info=error)
    return IgorError(f"this is a bug in igor: {type(error).__name__}: {error}")
