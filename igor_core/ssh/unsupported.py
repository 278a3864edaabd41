"""Options of the user's ssh_config that matter for a login, but that igor ignores.

asyncssh silently skips the options that it doesn't know. So its own reader, which knows which
lines apply to a host, is made to note these.
"""

import getpass
import importlib.util
from collections.abc import Mapping
from pathlib import Path

from asyncssh.config import ConfigParseError, SSHClientConfig

from igor_core.ssh import ssh_config
from igor_core.ssh.address import Address

# Option, and what igor does instead.
INSTEAD: Mapping[str, str] = {
    "BindInterface": "BindAddress works",
    "CanonicalizeHostname": "settings for the full name don't apply",
    "GSSAPIAuthentication": "Kerberos needs the Python package gssapi beside asyncssh",
    "HostbasedAuthentication": "igor logs in with a key, or asks",
    "KnownHostsCommand": "igor reads known_hosts files only",
    "Match exec": "%-tokens in its command are not expanded",
    "Match final": "its HostName, User, Port and known hosts settings don't apply",
    "PKCS11Provider": "keys on tokens work through ssh-agent: ssh-add -s",
    "ProxyUseFdpass": "igor can't take a socket from a ProxyCommand",
    "PubkeyAcceptedAlgorithms": "igor offers all algorithms of asyncssh",
    "PubkeyAcceptedKeyTypes": "igor offers all algorithms of asyncssh",
    "RevokedHostKeys": "igor honours @revoked in known_hosts",
    "SecurityKeyProvider": "security keys work through ssh-agent: ssh-add",
    "StrictHostKeyChecking": "igor never accepts an unknown host key",
    "VerifyHostKeyDNS": "igor reads known_hosts files only",
}
# Values that igor honours.
_FINE: Mapping[str, tuple[str, ...]] = {
    "SecurityKeyProvider": ("internal",),
    "StrictHostKeyChecking": ("yes", "true", "ask"),
}
_NOTHING = ("no", "false", "none")


def unsupported(address: Address) -> list[str]:
    """Name each option that applies to the host and that igor ignores.

    If asyncssh can't read ssh_config at all, say so instead.
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
    """Return the options of INSTEAD that apply to the host, each with its first value.

    Reads only the user's own file: the system's enables Kerberos on every Debian.
    """
    user = address.user if address.user is not None else ()
    port = address.port if address.port is not None else ()
    who = getpass.getuser(), user, address.name, port
    reload = canonical = final = False
    config = _NotingConfig.load(None, ssh_config.users_file(), reload, canonical, final, *who)
    assert isinstance(config, _NotingConfig)
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


class _NotingConfig(SSHClientConfig):
    """asyncssh's reader, which also notes the options of INSTEAD."""

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


_NotingConfig._handlers = {
    **SSHClientConfig._handlers,
    **{name.lower(): (name, _NotingConfig._note) for name in INSTEAD},
    "match": ("Match", _NotingConfig._note_match),
}
