"""The person at the client: asked for passphrases and passwords, for jump hosts too.

Background work has nobody to ask; then a host that asks is one that *needs login*.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from igor_core.errors import NeedsLogin
from igor_core.ssh.ssh_config import Settings

# (host, question, whether the answer may be seen) -> the answer, None where nobody answers.
Ask = Callable[[str, str, bool], Awaitable[str | None]]

TRIES = 3


@dataclass
class Login:
    """Who asks for a connection: a person's answers, and the environment of their ssh-agent."""

    ask: Ask | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    waiting_for_person: bool = False

    async def answer(self, host: str, question: str, echo: bool) -> str:
        """What the person says. Raises NeedsLogin where there is nobody, or no answer."""
        question = question.strip()
        if self.ask is None:
            raise NeedsLogin(
                f"{host} asks: {question}",
                f"run igor in a terminal to answer, or load the key: ssh-add; try: ssh {host}",
            )
        self.waiting_for_person = True
        try:
            said = await self.ask(host, f"{question} ", echo)
        finally:
            self.waiting_for_person = False
        if said is None:
            raise NeedsLogin(f"{host} asks: {question} There was no answer", "run it again")
        return said


class AuthPrompts(asyncssh.SSHClient):
    """Answers a server's questions during one login by asking whoever started the verb."""

    def __init__(self, settings: Settings, locked: Sequence[str], login: Login) -> None:
        self.refused: NeedsLogin | None = None
        self._host = settings.address.name
        self._user = settings.user
        self._locked = list(locked)
        self._login = login
        self._passwords = TRIES

    async def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        """After ssh-agent and the open keys: the encrypted ones, each when its turn comes."""
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
                # The key is stretched for a tenth of a second or more.
                return await asyncio.to_thread(asyncssh.read_private_key, path, passphrase)
            except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
                again = "That is not it. "
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
