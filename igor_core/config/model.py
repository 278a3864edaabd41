"""The config as data. A field's metadata is all that the checker and the JSON schema know of it.

A field without a default is mandatory. None as a default means that the value is found at use.
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
    """The name of whoever runs this; the user's number where the system knows no name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())


@dataclass(frozen=True)
class Host:
    """One machine and its folder for the code. How to log in is ssh_config's matter."""

    host: str = field(
        metadata={"key": Key("Name or address of the machine, as given to ssh.", rules=rules.HOST)}
    )
    dir: str = field(
        metadata={
            "key": Key(
                "Folder on the host under which the project's folder is made: absolute, or from "
                "the home there ('~/...').",
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
        metadata={
            "key": Key("Login name on this host, instead of ssh_config's.", rules=rules.LOGIN)
        },
    )
    port: int | None = field(
        default=None,
        metadata={"key": Key("Port of sshd, instead of ssh_config's.", minimum=1, maximum=65535)},
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata={
            "key": Key(
                "Environment variables for what runs on this host.",
                names=rules.VARIABLE,
                rules=(rules.NO_NUL,),
            )
        },
    )


@dataclass(frozen=True)
class HostGroup:
    """Hosts that do the same at once. `name` is its key in `host_groups`."""

    name: str
    hosts: tuple[Host, ...] = field(
        metadata={
            "key": Key(
                "The machines of the group.", filled=True, distinct=("host", "user", "port", "dir")
            )
        }
    )

    def select(self, names: Iterable[str]) -> tuple[Host, ...]:
        """The hosts called `names`, in the file's order; all of them when `names` is empty.

        UsageError for a name that no host of the group has.
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
    """What .igor/config.json says. Pure: what depends on the project's folder is in `Project`."""

    user: str = field(
        default_factory=login_name,
        metadata={
            "key": Key(
                "Whose containers and images these are; part of their names. Default: the local "
                "login name.",
                rules=rules.ONE_LINE,
            )
        },
    )
    project: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "Name of the project: its folder under 'dir', part of the names of containers and "
                "images. Default: the name of the folder that holds .igor.",
                rules=rules.FOLDER_NAME,
            )
        },
    )
    host_groups: Mapping[str, HostGroup] = field(
        hash=False,
        metadata={
            "key": Key(
                "Groups of hosts by name; 'dev' is used when none is named.",
                names=rules.GROUP_NAME,
                filled=True,
            )
        },
    )
    dockerfile: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "The dockerfile, a path from the project's root. Default: dockerfile, then "
                "Dockerfile, whichever exists.",
                rules=rules.IN_PROJECT,
            )
        },
    )
    docker_rebuild_files: tuple[str, ...] = field(
        default=(),
        metadata={
            "key": Key(
                "Files or globs, from the project's root; the image is built again when one of "
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
                "More arguments for 'docker run', one per item: GPUs, mounts, shared memory.",
                rules=rules.ARGUMENT,
            )
        },
    )
    runtime: Literal["docker", "podman", "none"] = field(
        default="docker",
        metadata={"key": Key("What runs containers on the hosts; 'none' runs on the host itself.")},
    )
    run_as: Literal["user", "image"] = field(
        default="user",
        metadata={
            "key": Key(
                "Who owns files made in the container: the login user of the host, or whoever the "
                "image says."
            )
        },
    )
    workspace: str = field(
        default="/workspace",
        metadata={"key": Key("Where the container sees the project.", rules=rules.WORKSPACE)},
    )
    repl_cmd: str | None = field(
        default=None,
        metadata={
            "key": Key(
                "Command of the REPL; its words are split as by a shell. Default: ipython where "
                "the container's Python has it, else that Python.",
                rules=rules.ONE_LINE,
            )
        },
    )
    repl_persist: bool = field(
        default=False,
        metadata={
            "key": Key(
                "Whether a REPL stays on its host, in a session of tmux there, when its terminal "
                "is closed or the connection is lost; the next one attaches to it."
            )
        },
    )
    debug_port: int = field(
        default=5678,
        metadata={
            "key": Key(
                "Port on this machine where an editor reaches the debugger.",
                minimum=1,
                maximum=65535,
            )
        },
    )
    debug: Debug = field(default_factory=Debug, metadata={"key": Key("How to debug.")})
    push_on_write: bool = field(
        default=False,
        metadata={
            "key": Key(
                "Whether each save in the editor goes to the hosts of the group 'dev' at once; "
                "only in projects that the user trusts."
            )
        },
    )
    transport: Literal["receiver", "rsync"] = field(
        default="receiver",
        metadata={
            "key": Key(
                "How files go to the hosts: by igor's own receiver, which waits there for saves, "
                "or by rsync, which is slower. Hosts without python3 always get rsync."
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
