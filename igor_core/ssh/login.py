"""Logging in to a host, directly or through its jump hosts, as ssh_config says."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import asyncssh

from igor_core.errors import HostError, IgorError
from igor_core.ssh import keys, ssh_config
from igor_core.ssh.address import Address as Address
from igor_core.ssh.auth_prompts import AuthPrompts
from igor_core.ssh.auth_prompts import Login as Login
from igor_core.ssh.failures import FOREIGN, explain
from igor_core.ssh.known_hosts import KnownHosts, refusal
from igor_core.ssh.ssh_config import Settings

#: For reaching a host, as ConnectTimeout.
CONNECT_SECONDS = 20.0
#: For the login itself, which may wait for a phone, a key to touch, or a directory; sshd's own
#: LoginGraceTime.
LOGIN_SECONDS = 120.0
#: After this time a person is told that the login is slow.
SLOW_SECONDS = 5.0
STEP_SECONDS = 0.5
KEEPALIVE_SECONDS = 10
KEEPALIVE_MISSES = 2

Connection = asyncssh.SSHClientConnection


async def connect(address: Address, login: Login) -> tuple[Connection, Settings]:
    """Connect and log in, through ProxyJump or ProxyCommand if ssh_config has one.

    Raises HostError; NeedsLogin if the host asks and `login` has nobody to answer.
    """
    return await _reach(address, login, None, ())


async def _reach(
    address: Address, login: Login, tunnel: Connection | None, passed: tuple[Address, ...]
) -> tuple[Connection, Settings]:
    """Log in over `tunnel` or the host's own jump hosts; `passed` are the hosts so far."""
    try:
        # Reading ssh_config may run commands (Match exec), so not on the loop.
        settings = await asyncio.to_thread(ssh_config.read, address)
        for hop in settings.jumps if tunnel is None else ():
            tunnel = await _jump(hop, login, tunnel, (*passed, address))
        return await _log_in(settings, login, tunnel), settings
    except BaseException as error:
        if tunnel is not None:
            tunnel.close()
        if isinstance(error, FOREIGN):
            raise explain(address, error) from None
        raise


async def _jump(
    hop: Address, login: Login, tunnel: Connection | None, passed: tuple[Address, ...]
) -> Connection:
    if hop in passed:
        raise HostError(
            f"{hop.name}: ProxyJump leads back to this host", "fix ProxyJump in ~/.ssh/config"
        )
    try:
        return (await _reach(hop, login, tunnel, passed))[0]
    except IgorError as error:
        message = f"on the way to {passed[-1].name}: {error.message}"
        raise type(error)(message, error.hint) from None


async def _log_in(settings: Settings, login: Login, tunnel: Connection | None) -> Connection:
    found = await asyncio.to_thread(keys.read, settings)
    known_hosts = await asyncio.to_thread(KnownHosts, settings.known_hosts_files())
    limit = settings.connect_seconds or CONNECT_SECONDS
    try:
        async with keys.of_agent(settings.agent_path(login.env)) as agent:
            offered, locked = found.with_agent(agent)
            prompts = AuthPrompts(settings, locked, login)
            options = {
                **_options(settings, offered, login),
                "known_hosts": known_hosts,
                "tunnel": tunnel,
                "client_factory": lambda: prompts,
            }
            connecting = asyncssh.connect(settings.address.name, **options)
            connection = await _within(limit, login, prompts, connecting)
    except asyncssh.HostKeyNotVerifiable as error:
        raise refusal(settings, error.reason) from None
    except asyncssh.Error:
        # Nobody could answer: that is the reason, not the refusal that followed from it.
        if prompts.refused is not None:
            raise prompts.refused from None
        raise
    if tunnel is not None:
        # Closes the tunnel with the connection that it was made for.
        connection.set_tunnel(tunnel)
    return connection


def _options(settings: Settings, offered: keys.NoKeys, login: Login) -> dict[str, Any]:
    """Return asyncssh's options for a login, as ssh_config and igor want them."""
    options: dict[str, Any] = {
        "port": settings.port,
        "username": settings.user,
        "config": ssh_config.files(),
        "client_keys": offered,
        "client_certs": settings.certificates(),
        "agent_path": "",
        "pkcs11_provider": None,
        "proxy_command": settings.proxy_command(login.env),
        # `_within` has the limit: asyncssh's would count the time that the user takes to answer.
        "connect_timeout": None,
        "keepalive_interval": KEEPALIVE_SECONDS,
        "keepalive_count_max": KEEPALIVE_MISSES,
    }
    if not settings.options.config.get("Ciphers"):
        options["encryption_algs"] = f"^{ssh_config.preferred_cipher()}"
    return options


async def _within(
    seconds: float, login: Login, prompts: AuthPrompts, work: Awaitable[Connection]
) -> Connection:
    """Wait for `work`: `seconds` until sshd answers, LOGIN_SECONDS from then on.

    Waits for answers do not count. Raises TimeoutError.
    """
    task = asyncio.ensure_future(work)
    waited, limit, is_told = 0.0, seconds, False
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=STEP_SECONDS)
            waited = 0.0 if login.waiting_for_answer else waited + STEP_SECONDS
            if limit == seconds and prompts.is_reached:
                waited, limit = 0.0, LOGIN_SECONDS
            if waited >= limit and not task.done():
                raise TimeoutError
            if prompts.is_reached and waited >= SLOW_SECONDS and not is_told:
                login.tell("the host takes its time to log in: a phone, or a key to touch?")
                is_told = True
        return task.result()
    finally:
        task.cancel()
