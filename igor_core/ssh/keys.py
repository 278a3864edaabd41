"""The private keys of a login: which are open, which ask for a passphrase first."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from igor_core.ssh.ssh_config import Settings


class NoKeys(list[str]):
    """No key at all. asyncssh takes an empty list that is false for "the default keys"."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Keys:
    """Paths of keys that can be used at once, and of those that are encrypted.

    `agent` are the public keys that ssh-agent may offer, None for all (IdentitiesOnly).
    """

    open: Sequence[str]
    locked: Sequence[str]
    agent: Sequence[bytes] | None


def read(settings: Settings) -> Keys:
    """Like ssh, passes over key files that are missing or can't be read."""
    unlocked, locked = NoKeys(), []
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
    offered = _public(settings) if settings.identities_only else None
    return Keys(unlocked, locked, offered)


def _public(settings: Settings) -> list[bytes]:
    """The public parts: of a key that is only in ssh-agent, the ".pub" file may be all there is."""
    found = []
    for path in settings.identities():
        for name in (f"{path}.pub", path):
            try:
                found.append(asyncssh.read_public_key(name).public_data)
                break
            except (OSError, ValueError):
                continue
    return found
