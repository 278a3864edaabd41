"""Questions during a login: passphrases, passwords and what else sshd asks, of jump hosts too.

They go to the user of the client that started the job. Background work has nobody to ask: a host
that asks then *needs login*.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from igor_core.errors import NeedsLogin
from igor_core.ssh.ssh_config import Settings

# (host, question, whether to echo the answer) -> the answer, None if nobody answers.
Ask = Callable[[str, str, bool], Awaitable[str | None]]

TRIES = 3


@dataclass
class Login:
    """How to log in for a client: ask its user via `ask`, use the ssh-agent of its `env`.

    `tell` shows the user a sentence about the login.
    """

    ask: Ask | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _text: None
    waiting_for_answer: bool = False

    async def answer(self, host: str, question: str, echo: bool) -> str:
        """Ask the user. Raises NeedsLogin if there is nobody to ask, or no answer."""
        question = question.strip()
        if self.ask is None:
            raise NeedsLogin(
                f"{host} asks: {question}",
                f"run igor in a terminal to answer, or load the key: ssh-add; try: ssh {host}",
            )
        self.waiting_for_answer = True
        try:
            said = await self.ask(host, f"{question} ", echo)
        finally:
            self.waiting_for_answer = False
        if said is None:
            raise NeedsLogin(f"{host} asks: {question} There was no answer", "run it again")
        return said


class AuthPrompts(asyncssh.SSHClient):
    """Passes the questions of one login on to the user; `refused` says why if it could not."""

    def __init__(self, settings: Settings, locked: Sequence[str], login: Login) -> None:
        self.refused: NeedsLogin | None = None
        self._host = settings.address.name
        self._user = settings.user
        self._locked = list(locked)
        self._login = login
        self._passwords = TRIES
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    @property
    def is_reached(self) -> bool:
        """Whether the host's sshd has answered."""
        made = self._connection
        return made is not None and bool(made.get_extra_info("server_version"))

    async def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        """Return the next encrypted key, unlocked; asyncssh has tried ssh-agent and open keys."""
        while self._locked and self.refused is None:
            key = await self._unlock(self._locked.pop(0))
            if key is not None:
                return key
        return None

    async def _unlock(self, path: str) -> asyncssh.SSHKey | None:
        again = ""
        for _try in range(TRIES):
            passphrase = await self._ask(f"{again}Passphrase for {Path(path).name}:", echo=False)
            if not passphrase:
                return None
            try:
                # Deriving the key takes a tenth of a second or more.
                return await asyncio.to_thread(asyncssh.read_private_key, path, passphrase)
            except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
                again = "Wrong passphrase. "
        return None

    async def password_auth_requested(self) -> str | None:
        if self._passwords == 0:
            return None
        self._passwords -= 1
        return await self._ask(f"{self._user}@{self._host}'s password:", echo=False)

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._passwords else None

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        self._passwords -= 1 if prompts else 0
        answers = []
        for text, echo in prompts:
            answer = await self._ask(" ".join(filter(None, [instructions, text])), echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    async def _ask(self, question: str, echo: bool) -> str | None:
        if self.refused is not None:
            return None
        try:
            return await self._login.answer(self._host, question, echo)
        except NeedsLogin as refusal:
            self.refused = refusal
            return None
