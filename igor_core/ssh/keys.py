"""The private keys for a login in ssh's order: those of ssh-agent, of files, and encrypted ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import asyncssh

from igor_core.ssh.ssh_config import Settings

#: How long an ssh-agent may take to list its keys.
AGENT_SECONDS = 5.0


class NoKeys(list[asyncssh.SSHKeyPair | str]):
    """An empty list that is true: asyncssh takes a false one for "the default keys"."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Keys:
    """The key files: paths of those that can be used at once (`open`), and of the encrypted ones.

    `public` has the public key of each path of IdentityFile where it is known, in their order;
    ssh-agent may offer only these if `only_listed` (IdentitiesOnly).
    """

    open: Sequence[str]
    locked: Sequence[str]
    public: Mapping[str, bytes]
    only_listed: bool

    def with_agent(self, agent: Sequence[asyncssh.SSHKeyPair]) -> tuple[NoKeys, list[str]]:
        """Return the keys to offer, with those of ssh-agent, and the encrypted ones left to unlock.

        The order is that of ssh: the agent's keys that IdentityFile names, its other keys, files.
        Each key is offered once: sshd counts them (MaxAuthTries).
        """
        held = {pair.public_data: pair for pair in agent}
        listed = [held[key] for key in dict.fromkeys(self.public.values()) if key in held]
        others = [] if self.only_listed else [pair for pair in agent if pair not in listed]
        files = [path for path in self.open if self.public.get(path) not in held]
        locked = [path for path in self.locked if self.public.get(path) not in held]
        return NoKeys([*listed, *others, *files]), locked


def read(settings: Settings) -> Keys:
    """Read the key files. Like ssh, skip those that are missing or can't be read."""
    unlocked, locked = [], []
    for path in settings.identities():
        try:
            asyncssh.read_private_key(path)
        except asyncssh.KeyEncryptionError:
            locked.append(path)
        except asyncssh.KeyImportError as error:
            if "passphrase" in str(error).lower():
                locked.append(path)
        except (OSError, ValueError):
            continue
        else:
            unlocked.append(path)
    return Keys(unlocked, locked, _public(settings), settings.identities_only)


def _public(settings: Settings) -> dict[str, bytes]:
    """Return the public keys; a key that is only in ssh-agent may have just a ".pub" file."""
    found = {}
    for path in settings.identities():
        for name in (f"{path}.pub", path):
            try:
                found[path] = asyncssh.read_public_key(name).public_data
                break
            except (OSError, ValueError):
                continue
    return found


@contextlib.asynccontextmanager
async def of_agent(path: str) -> AsyncIterator[Sequence[asyncssh.SSHKeyPair]]:
    """Get the keys of the ssh-agent at a socket, for as long as they are used; none without one."""
    if not path:
        yield ()
        return
    agent = None
    keys: Sequence[asyncssh.SSHKeyPair] = ()
    with contextlib.suppress(OSError, ValueError, asyncssh.Error, asyncio.TimeoutError):
        agent = await asyncio.wait_for(asyncssh.connect_agent(path), AGENT_SECONDS)
        keys = await asyncio.wait_for(agent.get_keys(), AGENT_SECONDS)
    try:
        yield keys
    finally:
        if agent is not None:
            agent.close()
