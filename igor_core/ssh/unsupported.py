"""Options of the user's ssh_config that decide how one logs in, and that igor passes over.

asyncssh skips what it doesn't know, without a word; so its reader is asked to note these too,
with all its rules of what applies to a host.
"""

import getpass
import importlib.util
from collections.abc import Mapping
from pathlib import Path

from asyncssh.config import ConfigParseError, SSHClientConfig

from igor_core.ssh import ssh_config
from igor_core.ssh.address import Address

# What igor does instead.
INSTEAD: Mapping[str, str] = {
    "BindInterface": "BindAddress works",
    "CanonicalizeHostname": "settings for the full name don't apply",
    "GSSAPIAuthentication": "Kerberos needs the Python package gssapi beside asyncssh",
    "HostbasedAuthentication": "igor logs in as a user with a key, or asks",
    "KnownHostsCommand": "igor looks into known_hosts files only",
    "Match exec": "its %-words are not replaced",
    "Match final": "what it says of HostName, User, Port and known hosts doesn't apply",
    "PKCS11Provider": "keys on tokens work through ssh-agent: ssh-add -s",
    "ProxyUseFdpass": "igor can't take over a socket from a ProxyCommand",
    "PubkeyAcceptedAlgorithms": "igor offers the algorithms that asyncssh has",
    "PubkeyAcceptedKeyTypes": "igor offers the algorithms that asyncssh has",
    "RevokedHostKeys": "igor knows revoked keys by @revoked in known_hosts",
    "SecurityKeyProvider": "security keys work through ssh-agent: ssh-add",
    "StrictHostKeyChecking": "igor never accepts a host key by itself",
    "VerifyHostKeyDNS": "igor looks into known_hosts files only",
}
# Values that ask for nothing which igor doesn't do.
_FINE: Mapping[str, tuple[str, ...]] = {
    "SecurityKeyProvider": ("internal",),
    "StrictHostKeyChecking": ("yes", "true", "ask"),
}
_NOTHING = ("no", "false", "none")


def unsupported(address: Address) -> list[str]:
    """One phrase for each option that applies to the host and that igor passes over.

    Also what makes the files unusable as a whole: an option that asyncssh can't read.
    """
    try:
        noted = _noted(address)
        keys = ssh_config.read(address).identities()
    except (ConfigParseError, ValueError, OSError) as error:
        return [f"ssh_config can't be used: {error}"]
    phrases = [f"{name} {value}".strip() + f" ({INSTEAD[name]})" for name, value in noted.items()]
    return phrases + [
        f"IdentityFile {path} (security keys work through ssh-agent: ssh-add)"
        for path in keys
        if _is_security_key(path)
    ]


def _noted(address: Address) -> dict[str, str]:
    """The options of INSTEAD that apply, each with the value that counts: the first.

    Only of the user's own file: the system's asks for Kerberos on every Debian.
    """
    config = _Noting.load(
        None, ssh_config.users_file(), False, False, False, getpass.getuser(),
        address.user if address.user is not None else (), address.name,
        address.port if address.port is not None else (),
    )  # fmt: skip
    assert isinstance(config, _Noting)
    return {name: value for name, value in config.noted.items() if _matters(name, value)}


def _matters(name: str, value: str) -> bool:
    if name == "GSSAPIAuthentication" and importlib.util.find_spec("gssapi"):
        return False
    return value.lower() not in _FINE.get(name, _NOTHING)


def _is_security_key(path: str) -> bool:
    if importlib.util.find_spec("fido2"):
        return False
    public = Path(path + ".pub")
    return Path(path).exists() and public.exists() and public.read_bytes().startswith(b"sk-")


class _Noting(SSHClientConfig):
    """Reads as asyncssh does, and notes."""

    @property
    def noted(self) -> dict[str, str]:
        found: dict[str, str] = self.__dict__.setdefault("_noted", {})
        return found

    def _note(self, option: str, args: list[str]) -> None:
        self.noted.setdefault(option, " ".join(args))
        args.clear()

    def _note_match(self, option: str, args: list[str]) -> None:
        words = [word.lower().lstrip("!") for word in args]
        if "final" in words:
            self.noted.setdefault("Match final", "")
        if any(word == "exec" and "%" in "".join(args[at + 1 : at + 2])
               for at, word in enumerate(words)):  # fmt: skip
            self.noted.setdefault("Match exec", "")
        SSHClientConfig._match(self, option, args)


_Noting._handlers = {
    **SSHClientConfig._handlers,
    **{name.lower(): (name, _Noting._note) for name in INSTEAD},
    "match": ("Match", _Noting._note_match),
}
