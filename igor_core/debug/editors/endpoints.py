"""The hosts of a project as an editor's debugger sees them: names, ports and folders."""

from collections.abc import Mapping
from dataclasses import dataclass

from igor_core.config import Host, HostGroup, Project
from igor_core.config.hosts import host_names
from igor_core.config.model import DEFAULT_GROUP
from igor_core.paths import RUN_FOLDER, HostPaths
from igor_core.runtime import Runtime

HIGHEST_PORT = 65535

#: The names of a group and of a host in it.
HostKey = tuple[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One host of a group.

    `name` is the group's name, followed by the host's where the group has several hosts. `port` is
    a local port. `container` is the container's name, which also names the debug sessions in it.
    `root` and `run` are the folders of the project and of igor's own files where programs run; on
    a host without containers they may start with "~/". `mapped_root` is `root` for debugpy.
    """

    name: str
    group: str
    entry: Host
    port: int
    container: str
    root: str
    run: str
    mapped_root: str


def endpoints_of(
    project: Project, containers: Mapping[str, str], ports: Mapping[HostKey, int]
) -> list[Endpoint]:
    """Return all hosts of all groups, those of the default group first.

    `containers` maps groups to names of containers; `ports` has the local ports in use that differ
    from `usual_port`.
    """
    groups = sorted(
        project.config.host_groups.values(), key=lambda group: group.name != DEFAULT_GROUP
    )
    return [
        _endpoint(project, group, index, name, containers, ports)
        for group in groups
        for index, name in enumerate(host_names(group.hosts))
    ]


def endpoint_name(group: HostGroup, host: str) -> str:
    """Return what follows "igor: attach " in the name of a configuration."""
    return group.name if len(group.hosts) == 1 else f"{group.name} {host}"


def usual_port(debug_port: int, index: int) -> int:
    """Return the port of a group's host number `index` (from 0), used or not."""
    return debug_port + index if debug_port + index <= HIGHEST_PORT else debug_port - index


def runtime_of(project: Project) -> Runtime | None:
    word = project.config.runtime
    return None if word == "none" else Runtime(word)


def _endpoint(
    project: Project,
    group: HostGroup,
    index: int,
    host: str,
    containers: Mapping[str, str],
    ports: Mapping[HostKey, int],
) -> Endpoint:
    config, entry = project.config, group.hosts[index]
    on_host = HostPaths.of(entry.dir, "~", project.name)
    in_container = config.runtime != "none"
    return Endpoint(
        name=endpoint_name(group, host),
        group=group.name,
        entry=entry,
        port=ports.get((group.name, host), usual_port(config.debug_port, index)),
        container=containers[group.name],
        root=config.workspace if in_container else on_host.tree,
        run=RUN_FOLDER if in_container else on_host.run,
        # On a host `root` may have links and "~" in it, so use the folder in which programs start.
        mapped_root=config.workspace if in_container else ".",
    )
