"""The demo's own environment: a home, XDG folders and ssh files; none of the user's."""

import os
import pwd
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from tests.demo.server import ADDRESS, KEY, EmbeddedHost

#: Variables that lead out of the demo: the user's ssh-agent, editor, repository, engine, igor.
FOREIGN = ("SSH_", "GIT_", "NVIM", "VIM", "MYVIMRC", "TMUX", "DOCKER_", "IGOR_AGENT", "XDG_")

SSH_CONFIG = """\
Host {name}
  HostName {address}
  Port {port}
  User {user}
  IdentityFile "{folder}/id"
  IdentitiesOnly yes
  UserKnownHostsFile "{folder}/known_hosts"
"""
GIT_CONFIG = """\
[user]
    name = Igor's demo
    email = demo@igor.invalid
[init]
    defaultBranch = main
"""


def user_name() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


@dataclass(frozen=True)
class Place:
    """The temporary folder, and the environment of everything that the demo starts."""

    folder: Path
    environment: Mapping[str, str]
    client_key: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def runtime(self) -> Path:
        """The folder of the agent's socket."""
        return self.folder / "run" / "igor"

    def know(self, hosts: Iterable[EmbeddedHost]) -> None:
        """Write ssh_config and known_hosts, for igor and for `ssh`."""
        folder = self.home / ".ssh"
        entries, keys = [], []
        for host in hosts:
            entries.append(
                SSH_CONFIG.format(
                    name=host.name, address=ADDRESS, port=host.port, user=user_name(), folder=folder
                )
            )
            keys.append(f"[{ADDRESS}]:{host.port} {host.host_key}\n")
        (folder / "config").write_text("\n".join(entries))
        (folder / "known_hosts").write_text("".join(keys))


def make_place(folder: Path) -> Place:
    """Fill an empty folder, whose path must be short enough for a unix socket."""
    private = {"XDG_RUNTIME_DIR": folder / "run"}
    for name in ("STATE", "CONFIG", "CACHE", "DATA"):
        private[f"XDG_{name}_HOME"] = folder / "xdg" / name.lower()
    # The system's folders for Neovim plugins.
    private |= {
        "XDG_CONFIG_DIRS": folder / "xdg" / "none",
        "XDG_DATA_DIRS": folder / "xdg" / "none",
    }
    for path in private.values():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
    home = folder / "home"
    environment = {**own, **{name: str(path) for name, path in private.items()}, "HOME": str(home)}
    return Place(folder, environment, _make_home(home))


def _make_home(home: Path) -> str:
    """Make the home with a new key; return the public key in the form of authorized_keys."""
    ssh = home / ".ssh"
    ssh.mkdir(mode=0o700, parents=True)
    (home / ".gitconfig").write_text(GIT_CONFIG)
    key = asyncssh.generate_private_key(KEY, comment="igor's demo")
    key.write_private_key(str(ssh / "id"))
    (ssh / "id").chmod(0o600)
    return key.export_public_key().decode("ascii")
