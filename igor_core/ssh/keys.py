"""The private keys for a login: those that can be used at once, and the encrypted ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from igor_core.ssh.ssh_config import Settings


class NoKeys(list[str]):
    """An empty list that is true: asyncssh takes a false one for "the default keys"."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Keys:
    """Paths of the keys that can be used at once (`open`) and of the encrypted ones (`locked`).

    `agent` has the public keys that ssh-agent may offer, None for all (see IdentitiesOnly).
    """

    open: Sequence[str]
    locked: Sequence[str]
    agent: Sequence[bytes] | None


def read(settings: Settings) -> Keys:
    """Read the key files. Like ssh, skip those that are missing or can't be read."""
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
    """Return the public keys; a key that is only in ssh-agent may have just a ".pub" file."""
    found = []
    for path in settings.identities():
        for name in (f"{path}.pub", path):
            try:
                found.append(asyncssh.read_public_key(name).public_data)
                break
            except (OSError, ValueError):
                continue
    return found
