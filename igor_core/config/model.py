"""The config as data. The checker and the JSON schema read only a field's metadata.

A field without a default is mandatory. The default None means that the value is found when used.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from igor_core.config import rules
from igor_core.config.debug import Debug
from igor_core.config.rules import Key
from igor_core.config.wording import nearest
from igor_core.errors import UsageError

DEFAULT_GROUP = "dev"


def login_name() -> str:
    """The local user's name, or the user's number if the system has no name for it."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())


@dataclass(frozen=True)
class Host:
    """One host and its folder for the code. ssh_config says how to log in."""

    host: str = field(
        metadata={"key": Key("Name or address of the host, as given to ssh.", rules=rules.HOST)}
    )
    dir: str = field(
        metadata={
            "key": Key(
                "Folder on the host in which the project's folder is made: absolute, or relative "
                "to the home directory ('~/...').",
                rules=rules.HOST_DIR,
            )
        }
    )
    tag: str | None = field(
        default=None,
        metadata={"key": Key("Role of the host in an experiment.", rules=rules.VARIABLE)},
    )
    user: str | None = field(
        default=None,
        metadata={"key": Key("Login name on this host; overrides ssh_config.", rules=rules.LOGIN)},
    )
    port: int | None = field(
        default=None,
        metadata={"key": Key("Port of sshd; overrides ssh_config.", minimum=1, maximum=65535)},
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata={
            "key": Key(
                "Environment variables for programs on this host.",
                names=rules.VARIABLE,
                rules=(rules.NO_NUL,),
            )
        },
    )


@dataclass(frozen=True)
class HostGroup:
    """Hosts that do the same task at once. `name` is the group's key in `host_groups`."""

    name: str
    hosts: tuple[Host, ...] = field(
        metadata={
            "key": Key(
                "The hosts of the group.", filled=True, distinct=("host", "user", "port", "dir")
            )
        }
    )

    def select(self, names: Iterable[str]) -> tuple[Host, ...]:
        """The hosts named `names`, in the file's order; all hosts if `names` is empty.

        Raises UsageError for a name that no host of the group has.
        """
        wanted = set(names)
        known = list(dict.fromkeys(host.host for host in self.hosts))
        for name in sorted(wanted.difference(known)):
            raise UsageError(
                f"no host {name!r} in the group '{self.name}'{nearest(name, known)}",
                f"its hosts: {', '.join(known)}",
            )
        return tuple(host for host in self.hosts if not wanted or host.host in wanted)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The content of .igor/config.json; values that depend on the folder are in `Project`."""

    user: str = field(
        default_factory=login_name,
        metadata={
            "key": Key(
                "Owner of the containers and images, part of their names. Default: the local "
                "login name.",
                rules=rules.ONE_LINE,
            )
        },
    )
    project: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "Name of the project's folder in 'dir', and part of the names of containers and "
                "images. Default: the name of the folder that holds .igor.",
                rules=rules.FOLDER_NAME,
            )
        },
    )
    host_groups: Mapping[str, HostGroup] = field(
        hash=False,
        metadata={
            "key": Key(
                "Groups of hosts by name. Commands use 'dev' unless another group is named.",
                names=rules.GROUP_NAME,
                filled=True,
            )
        },
    )
    dockerfile: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "Path of the dockerfile from the project's root. Default: dockerfile, or else "
                "Dockerfile.",
                rules=rules.IN_PROJECT,
            )
        },
    )
    docker_rebuild_files: tuple[str, ...] = field(
        default=(),
        metadata={
            "key": Key(
                "Files or patterns, from the project's root; the image is built again if one of "
                "them changes.",
                rules=rules.IN_PROJECT,
            )
        },
    )
    docker_build_args: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata={
            "key": Key(
                "Build arguments (ARG) by name.", names=rules.VARIABLE, rules=(rules.NO_NUL,)
            )
        },
    )
    docker_run_args: tuple[str, ...] = field(
        default=(),
        metadata={
            "key": Key(
                "More options for 'docker run', one word in each item: GPUs, mounts, memory.",
                rules=rules.ARGUMENT,
            )
        },
    )
    runtime: Literal["docker", "podman", "none"] = field(
        default="docker",
        metadata={
            "key": Key(
                "Container engine on the hosts; with 'none' commands run on the host itself."
            )
        },
    )
    run_as: Literal["user", "image"] = field(
        default="user",
        metadata={
            "key": Key(
                "Owner of files that programs in the container make: your user on the host, or "
                "the image's user."
            )
        },
    )
    workspace: str = field(
        default="/workspace",
        metadata={
            "key": Key("Where the project is mounted in the container.", rules=rules.WORKSPACE)
        },
    )
    repl_cmd: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "Command of the REPL, split into words as by a shell. Default: IPython if "
                "the container's Python has it, or else that Python.",
                rules=rules.ONE_LINE,
            )
        },
    )
    repl_persist: bool = field(
        default=False,
        metadata={
            "key": Key(
                "Keep a REPL running on its host, in a tmux session, when its terminal "
                "is closed or the connection is lost; the next REPL attaches to it."
            )
        },
    )
    debug_port: int = field(
        default=5678,
        metadata={
            "key": Key(
                "Local port where a debugger connects during a session.",
                minimum=1,
                maximum=65535,
            )
        },
    )
    debug: Debug = field(
        default_factory=Debug, metadata={"key": Key("How programs are run and debugged.")}
    )
    push_on_write: bool = field(
        default=False,
        metadata={
            "key": Key(
                "Push each save in Neovim to the hosts of the group 'dev' at once; "
                "only in trusted projects."
            )
        },
    )
    transport: Literal["receiver", "rsync"] = field(
        default="receiver",
        metadata={
            "key": Key(
                "How files are transferred: with igor's receiver on the host, or with "
                "rsync, which is slower. A host without python3 always uses rsync."
            )
        },
    )
    include: tuple[str, ...] = field(
        default=(),
        metadata={
            "key": Key(
                "Patterns (gitignore's) of files to push although git ignores them.",
                rules=rules.ONE_LINE,
            )
        },
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata={"key": Key("Patterns (gitignore's) of files not to push.", rules=rules.ONE_LINE)},
    )

    def group(self, name: str | None = None) -> HostGroup:
        """The host group `name`, by default 'dev'; UsageError names the groups that exist."""
        wanted = DEFAULT_GROUP if name is None else name
        if wanted in self.host_groups:
            return self.host_groups[wanted]
        known = ", ".join(self.host_groups)
        if name is None:
            raise UsageError(
                f"the config has no host group '{DEFAULT_GROUP}', the default",
                f"name one with -g: {known}",
            )
        raise UsageError(
            f"no host group {wanted!r} in the config{nearest(wanted, self.host_groups)}",
            f"its groups: {known}",
        )

    def hosts(self, group: str | None = None, names: Iterable[str] = ()) -> tuple[Host, ...]:
        """The hosts of a group that are called `names`, or all of them; see `group`, `select`."""
        return self.group(group).select(names)
