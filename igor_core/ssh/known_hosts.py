"""Host keys: known_hosts read as ssh reads it, and the error when a key is refused."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncssh

from igor_core.errors import NeedsLogin
from igor_core.ssh.ssh_config import Settings
from igor_core.ssh.unsupported import unsupported

SSH_PORT = 22

# Trusted keys, certificate authorities, revoked keys; then the same for X.509.
HostKeys = Sequence[Sequence[Any]]


class KnownHosts:
    """Finds the keys of a host by its name; asyncssh calls it with name, address and port.

    Like ssh, it skips lines that it can't read, and does not look for keys of the address.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._known = asyncssh.import_known_hosts("")
        for file in files:
            for line in Path(file).read_text("utf-8", "replace").splitlines():
                try:
                    self._known.load(line)
                except ValueError:
                    continue

    def __call__(self, host: str, address: str, port: int | None) -> HostKeys:
        return self._known.match(host, "", port)

    def has(self, name: str) -> bool:
        """Return whether there is a key for exactly this name, "[host]:port" or plain."""
        return bool(self._known.match(name, "", None)[0])


def refusal(settings: Settings, reason: str) -> NeedsLogin:
    """Make the error of a host key that isn't trusted; the hint is the command that fixes it."""
    name = settings.address.name
    if "revoked" in reason:
        return NeedsLogin(
            f"{name}: the host key is marked as revoked", "ask the administrator of the host"
        )
    stale = _files_with_key(settings)
    if not stale:
        return NeedsLogin(f"{name}: the host key is unknown", f"check it and accept it: "
                         f"{_accept(settings)}{_ignored(settings)}")  # fmt: skip
    lines = [shlex.join(["ssh-keygen", "-R", found, "-f", file]) for file, found in stale]
    return NeedsLogin(
        f"{name}: the host key has changed; someone may be intercepting the connection",
        f"if the host was reinstalled: {' && '.join([*lines, _accept(settings)])}",
    )


def _files_with_key(settings: Settings) -> list[tuple[str, str]]:
    """List the files that have a key of the host, each with the name it has there."""
    plain = settings.key_name
    names = [plain] if settings.port == SSH_PORT else [f"[{plain}]:{settings.port}", plain]
    found = []
    for file in settings.known_hosts_files():
        known = KnownHosts([file])
        found += [(file, name) for name in names if known.has(name)][:1]
    return found


def _accept(settings: Settings) -> str:
    """Return the ssh command that asks whether to accept the key."""
    return shlex.join(
        ["ssh", "-o", "StrictHostKeyChecking=ask", *settings.address.ssh_words(), "true"]
    )


def _ignored(settings: Settings) -> str:
    """Name the ignored options with which ssh would have known the key."""
    found = [
        phrase
        for phrase in unsupported(settings.address)
        if phrase.startswith(("KnownHostsCommand", "VerifyHostKeyDNS"))
    ]
    return f"; igor ignores {', '.join(found)}" if found else ""
