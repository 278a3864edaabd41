"""The config as data. The checker and the JSON schema read the metadata of its fields.

A field without a default is mandatory. A default of None means that the value is found at use.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from igor_core.config import rules
from igor_core.config.debug import Debug
from igor_core.config.hosts import Host, HostGroup
from igor_core.config.rules import key
from igor_core.errors import UsageError
from igor_core.nearest import nearest

DEFAULT_GROUP = "dev"


def login_name() -> str:
    """Return the local login name; the user's number where the system knows no name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())


@dataclass(frozen=True, kw_only=True)
class Config:
    """What .igor/config.json says. `Project` has what depends on the project's folder."""

    user: str = field(
        default_factory=login_name,
        metadata=key(
            "Owner of the containers and images, part of their names. Default: the local login "
            "name.",
            rules=rules.ONE_LINE,
        ),
    )
    project: str | None = field(
        default=None,
        metadata=key(
            "Name of the project's folder in 'dir', and part of the names of containers and "
            "images. Default: the name of the folder that holds .igor.",
            rules=rules.FOLDER_NAME,
        ),
    )
    host_groups: Mapping[str, HostGroup] = field(
        hash=False,
        metadata=key(
            "Groups of hosts by name. Commands use 'dev' unless another group is named.",
            names=rules.GROUP_NAME,
            filled=True,
        ),
    )
    dockerfile: str | None = field(
        default=None,
        metadata=key(
            "Path of the dockerfile from the project's root. Default: dockerfile, or else "
            "Dockerfile.",
            rules=rules.IN_PROJECT,
        ),
    )
    docker_rebuild_files: tuple[str, ...] = field(
        default=(),
        metadata=key(
            "Files or patterns, from the project's root; the image is built again if one of "
            "them changes.",
            rules=rules.IN_PROJECT,
        ),
    )
    docker_build_args: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata=key(
            "Build arguments (ARG in the dockerfile) by name.",
            names=rules.VARIABLE,
            rules=(rules.NO_NUL,),
        ),
    )
    docker_run_args: tuple[str, ...] = field(
        default=(),
        metadata=key(
            "More options for 'docker run', one word in each item: GPUs, mounts, memory.",
            rules=rules.ARGUMENT,
        ),
    )
    runtime: Literal["docker", "podman", "none"] = field(
        default="docker",
        metadata=key("Container engine on the hosts; with 'none' commands run on the host itself."),
    )
    run_as: Literal["user", "image"] = field(
        default="user",
        metadata=key(
            "Owner of files that programs in the container make: your user on the host, or "
            "the image's user."
        ),
    )
    workspace: str = field(
        default="/workspace",
        metadata=key("Where the project is mounted in the container.", rules=rules.WORKSPACE),
    )
    repl_cmd: str | None = field(
        default=None,
        metadata=key(
            "Command of the REPL, split into words as by a shell. Default: IPython if "
            "the container's Python has it, or else that Python.",
            rules=rules.ONE_LINE,
        ),
    )
    repl_persist: bool = field(
        default=False,
        metadata=key(
            "Keep a REPL running on its host, in a tmux session, when its terminal "
            "is closed or the connection is lost; the next REPL attaches to it."
        ),
    )
    debug_port: int = field(
        default=5678,
        metadata=key(
            "Local port where a debugger connects during a session.", minimum=1, maximum=65535
        ),
    )
    debug: Debug = field(default_factory=Debug, metadata=key("How programs are run and debugged."))
    push_on_write: bool = field(
        default=False,
        metadata=key(
            "Push each save in Neovim to the hosts of the group 'dev' at once; "
            "only in trusted projects."
        ),
    )
    transport: Literal["receiver", "rsync"] = field(
        default="receiver",
        metadata=key(
            "How files are transferred: with igor's receiver on the host, or with "
            "rsync, which is slower. A host without python3 always uses rsync."
        ),
    )
    include: tuple[str, ...] = field(
        default=(),
        metadata=key(
            "Patterns, as in .gitignore, of files to push although git ignores them.",
            rules=rules.ONE_LINE,
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=key("Patterns, as in .gitignore, of files not to push.", rules=rules.ONE_LINE),
    )

    def group(self, name: str | None = None) -> HostGroup:
        """Return the host group `name`, by default 'dev'. Raises UsageError if there is none."""
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
        """Return the hosts of a group that are called `names`, or all; see `group`, `select`."""
        return self.group(group).select(names)
