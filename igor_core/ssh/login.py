"""Logging in: what ssh_config says, keys and questions, one connection at the end.

asyncssh reads ssh_config; questions (passphrase, password, keyboard-interactive) go to the
person who started the verb, for jump hosts too. Background work never asks.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import asyncssh

from igor_core.errors import NeedsLogin

# (host, question, whether the answer may be seen) -> the answer, None where nobody answers.
Ask = Callable[[str, str, bool], Awaitable[str | None]]

CONNECT_SECONDS = 20.0
KEEPALIVE_SECONDS = 10
KEEPALIVE_MISSES = 2
TRIES = 3

# ssh_config(5), IdentityFile.
DEFAULT_IDENTITIES = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True)
class Address:
    """A host as a config names it: what ssh_config calls Host, with overrides."""

    name: str
    user: str | None = None
    port: int | None = None


@dataclass
class Login:
    """Who asks for a connection: a person's answers, and the environment of their ssh-agent."""

    ask: Ask | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    waiting_for_person: bool = False

    async def answer(self, host: str, question: str, echo: bool) -> str | None:
        if self.ask is None:
            raise NeedsLogin(
                f"{host} asks: {question.strip()}",
                f"run igor in a terminal to answer, or load the key: ssh-add; try: ssh {host}",
            )
        self.waiting_for_person = True
        try:
            return await self.ask(host, question, echo)
        finally:
            self.waiting_for_person = False


def resolve(address: Address) -> asyncssh.SSHClientConnectionOptions:
    """What ssh_config says of a host, with no key loaded: HostName, Port, User, ProxyJump, …

    Raises asyncssh.ConfigParseError and ValueError for an ssh_config that can't be used.
    """
    return asyncssh.SSHClientConnectionOptions(
        config=_config_files(),
        host=address.name,
        port=address.port if address.port is not None else (),
        username=address.user if address.user is not None else (),
        client_keys=None,
        known_hosts=None,
    )


def _config_files() -> list[str]:
    """The user's before the system's: the first value found counts (ssh_config(5))."""
    files = [os.path.expanduser("~/.ssh/config"), "/etc/ssh/ssh_config"]
    return [name for name in files if os.access(name, os.R_OK)]


async def connect(address: Address, login: Login) -> asyncssh.SSHClientConnection:
    """A connection, through ssh_config's ProxyJump or ProxyCommand where it has one.

    Raises what asyncssh and the sockets raise (see failures.py), NeedsLogin, and TimeoutError
    after CONNECT_SECONDS in which no person was asked.
    """
    opening = asyncio.ensure_future(_open(address, login, None))
    waited = 0.0
    try:
        while not opening.done():
            await asyncio.wait({opening}, timeout=0.5)
            waited = 0.0 if login.waiting_for_person else waited + 0.5
            if waited >= CONNECT_SECONDS:
                raise TimeoutError(f"no answer within {CONNECT_SECONDS:.0f} s")
        return opening.result()
    finally:
        opening.cancel()


async def _open(
    address: Address, login: Login, tunnel: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    loop = asyncio.get_running_loop()
    # Reading ssh_config may run commands (Match exec), so not on the loop.
    options = await loop.run_in_executor(None, resolve, address)
    for hop in _jumps(options) if tunnel is None else ():
        tunnel = await _open(hop, login, tunnel)
    identities = _identities(options)
    extra: dict[str, Any] = {"tunnel": tunnel} if tunnel is not None else {}
    if "SSH_AUTH_SOCK" in login.env and not options.config.get("IdentityAgent"):
        extra["agent_path"] = login.env["SSH_AUTH_SOCK"]
    person = Person(address.name, options.username, identities, login)
    try:
        return await asyncssh.connect(
            address.name,
            port=options.port,
            username=options.username,
            config=_config_files(),
            known_hosts=_known_hosts(options) or b"",
            client_keys=identities,
            ignore_encrypted=True,
            client_factory=lambda: person,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVE_MISSES,
            **extra,
        )
    except asyncssh.Error:
        # Nobody could answer: that is the reason, not the refusal that followed from it.
        if person.refused is not None:
            raise person.refused from None
        raise


def _jumps(options: asyncssh.SSHClientConnectionOptions) -> Sequence[Address]:
    """ProxyJump as addresses: [user@]host[:port], comma separated."""
    if not isinstance(options.tunnel, str):
        return ()
    hops = []
    for hop in options.tunnel.removeprefix("ssh://").split(","):
        user, _, place = hop.strip().rpartition("@")
        name, colon, port = place.rpartition(":")
        known_port = int(port) if colon and port.isdigit() else None
        hops.append(Address(name if known_port else place, user or None, known_port))
    return hops


def _identities(options: asyncssh.SSHClientConnectionOptions) -> list[str]:
    """The key files that exist. Like ssh, a configured one that is missing is passed over."""
    names = _strings(options, "IdentityFile") or [f"~/.ssh/{name}" for name in DEFAULT_IDENTITIES]
    paths = [os.path.expanduser(name) for name in names]
    return [path for path in paths if os.access(path, os.R_OK)]


def _strings(options: asyncssh.SSHClientConnectionOptions, option: str) -> list[str]:
    return [str(value) for value in cast(Sequence[str], options.config.get(option, ()))]


def _known_hosts(options: asyncssh.SSHClientConnectionOptions) -> list[str]:
    """The known_hosts files that exist. Like ssh, one that is missing is passed over."""
    users = _strings(options, "UserKnownHostsFile") or DEFAULT_KNOWN_HOSTS
    systems = _strings(options, "GlobalKnownHostsFile") or SYSTEM_KNOWN_HOSTS
    paths = [os.path.expanduser(name) for name in (*users, *systems)]
    return [path for path in paths if os.access(path, os.R_OK)]


async def is_known(address: Address) -> bool:
    """Whether known_hosts has any key for the host that ssh_config resolves."""
    return await asyncio.get_running_loop().run_in_executor(None, _is_known, address)


def _is_known(address: Address) -> bool:
    options = resolve(address)
    files = _known_hosts(options)
    name = options.host_key_alias or options.host
    return bool(files and asyncssh.match_known_hosts(files, name, "", options.port)[0])


class Person(asyncssh.SSHClient):
    """Answers a server's questions during one login by asking whoever started the verb."""

    def __init__(self, host: str, user: str, identities: Sequence[str], login: Login) -> None:
        self.refused: NeedsLogin | None = None
        self._host = host
        self._user = user
        self._locked = list(identities)
        self._login = login
        self._passwords = TRIES

    async def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        """After ssh-agent and the open keys: the encrypted ones, each when its turn comes."""
        while self._locked:
            path = self._locked.pop(0)
            try:
                asyncssh.read_private_key(path)
            except asyncssh.KeyEncryptionError:
                pass
            except asyncssh.KeyImportError as error:
                if "passphrase" not in str(error).lower():
                    continue
            else:
                continue
            key = await self._unlock(path)
            if key is not None:
                return key
        return None

    async def _unlock(self, path: str) -> asyncssh.SSHKey | None:
        for _try in range(TRIES):
            passphrase = await self._ask(f"Passphrase for {Path(path).name}: ", echo=False)
            if not passphrase:
                return None
            try:
                return asyncssh.read_private_key(path, passphrase)
            except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
                continue
        return None

    async def password_auth_requested(self) -> str | None:
        if self._passwords == 0:
            return None
        self._passwords -= 1
        return await self._ask(f"{self._user}@{self._host}'s password: ", echo=False)

    def kbdint_auth_requested(self) -> str | None:
        return ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        if prompts and self._passwords == 0:
            return None
        self._passwords -= 1 if prompts else 0
        answers = []
        for text, echo in prompts:
            answer = await self._ask(" ".join(filter(None, [instructions, text])), echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    async def _ask(self, question: str, echo: bool) -> str | None:
        try:
            return await self._login.answer(self._host, question, echo)
        except NeedsLogin as refusal:
            self.refused = refusal
            return None
