"""The settings of ssh_config for a host.

asyncssh reads the files; this module does what it leaves to the caller. See ssh_config(5).
"""

import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import asyncssh

from igor_core.ssh.address import Address

DEFAULT_IDENTITIES = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
SYSTEM_CONFIG = "/etc/ssh/ssh_config"


@dataclass(frozen=True)
class Settings:
    """An address as ssh_config resolves it: HostName, Port, User, keys, jump hosts."""

    address: Address
    options: asyncssh.SSHClientConnectionOptions

    @property
    def host(self) -> str:
        return self.options.host

    @property
    def port(self) -> int:
        return self.options.port

    @property
    def user(self) -> str:
        return self.options.username

    @property
    def key_name(self) -> str:
        """The name, without the port, of the host's key in known_hosts."""
        return self.options.host_key_alias or self.host

    @property
    def connect_seconds(self) -> float | None:
        """ConnectTimeout."""
        seconds = self.options.config.get("ConnectTimeout")
        return float(cast(int, seconds)) if seconds else None

    @property
    def jumps(self) -> Sequence[Address]:
        """ProxyJump: [user@]host[:port] or ssh://…, comma separated."""
        tunnel = self.options.tunnel
        return [_hop(hop) for hop in tunnel.split(",")] if isinstance(tunnel, str) else ()

    @property
    def detour(self) -> str:
        """ProxyJump or ProxyCommand in words, "" for a direct connection.

        The same HostName may be another machine behind it, so manifests are kept by this text.
        """
        if self.jumps:
            return f"via {self.options.tunnel}"
        return f"by {self._proxy_line}" if self._proxy_line else ""

    @property
    def _proxy_line(self) -> str:
        line = self.options.config.get("ProxyCommand")
        return line.lstrip("= ") if isinstance(line, str) else ""

    def proxy_command(self, env: Mapping[str, str]) -> list[str] | None:
        """Return ProxyCommand as ssh runs it, with the ssh-agent of the login's environment."""
        if not self._proxy_line or self.jumps:
            return None
        agent = env.get("SSH_AUTH_SOCK")
        words = [f"SSH_AUTH_SOCK={agent}"] if agent else ["-u", "SSH_AUTH_SOCK"]
        return ["env", *words, "/bin/sh", "-c", f"exec {self._proxy_line}"]

    def agent_path(self, env: Mapping[str, str]) -> str:
        """Return the socket of the ssh-agent: IdentityAgent, else that of the login."""
        configured = self.options.config.get("IdentityAgent", "SSH_AUTH_SOCK")
        if configured == "SSH_AUTH_SOCK":
            return env.get("SSH_AUTH_SOCK", "")
        if isinstance(configured, str) and configured.startswith("$"):
            return os.environ.get(configured[1:], "")
        return os.path.expanduser(str(configured)) if configured else ""

    @property
    def identities_only(self) -> bool:
        return bool(self.options.config.get("IdentitiesOnly"))

    def identities(self) -> list[str]:
        """Return the key files to try, whether they exist or not."""
        names = self._strings("IdentityFile")
        return _paths(names or [f"~/.ssh/{name}" for name in DEFAULT_IDENTITIES])

    def certificates(self) -> list[str]:
        """Return the certificates that exist."""
        return [path for path in _paths(self._strings("CertificateFile")) if _readable(path)]

    def known_hosts_files(self) -> list[str]:
        """Return the known_hosts files that exist."""
        users = self._strings("UserKnownHostsFile") or DEFAULT_KNOWN_HOSTS
        systems = self._strings("GlobalKnownHostsFile") or SYSTEM_KNOWN_HOSTS
        names = [self._expanded(name) for name in (*users, *systems)]
        return [path for path in _paths(names) if _readable(path)]

    def _strings(self, option: str) -> list[str]:
        return [str(value) for value in cast(Sequence[str], self.options.config.get(option, ()))]

    def _expanded(self, name: str) -> str:
        tokens = {
            "%": "%", "d": str(Path.home()), "h": self.host, "k": self.key_name,
            "n": self.address.name, "p": str(self.port), "r": self.user,
        }  # fmt: skip
        return re.sub("%(.)", lambda found: tokens.get(found[1], found[0]), name)


def read(address: Address) -> Settings:
    """Read ssh_config for a host; loads no key. May run commands (`Match exec`).

    Raises asyncssh.ConfigParseError or ValueError if igor can't use the ssh_config.
    """
    options = asyncssh.SSHClientConnectionOptions(
        config=files(),
        host=address.name,
        port=address.port if address.port is not None else (),
        username=address.user if address.user is not None else (),
        client_keys=None,
        client_certs=[],
        known_hosts=None,
    )
    return Settings(address, options)


def files() -> list[str]:
    """Return the user's file before the system's: the first value found counts."""
    return users_file() + [name for name in (SYSTEM_CONFIG,) if _readable(name)]


def users_file() -> list[str]:
    """Return the user's own file, if there is one."""
    return [name for name in _paths(["~/.ssh/config"]) if _readable(name)]


@functools.cache
def preferred_cipher() -> str:
    """Return the cipher to try first if ssh_config has no Ciphers: the processor's fastest.

    Both are in OpenSSH since 6.5; without AES instructions, GCM takes several times as long.
    """
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        words = ["aes"]
    return "aes128-gcm@openssh.com" if "aes" in words else "chacha20-poly1305@openssh.com"


def _hop(text: str) -> Address:
    user, _, place = text.strip().removeprefix("ssh://").rpartition("@")
    bracketed = re.fullmatch(r"\[(.+)\](?::(\d+))?", place)
    plain = re.fullmatch(r"([^:]+):(\d+)", place)
    found = bracketed or plain
    name, port = (found[1], found[2]) if found else (place, None)
    return Address(name, user or None, int(port) if port else None)


def _paths(names: Sequence[str]) -> list[str]:
    return [os.path.expanduser(name) for name in names]


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK)
