"""Where a project's programs run: on a host itself, or in a container on it."""

from igor_core.config import Host, Project
from igor_core.environment.base import Environment, EnvironmentDown
from igor_core.environment.container import ContainerEnvironment
from igor_core.environment.host import HostEnvironment
from igor_core.runtime import Runtime
from igor_core.ssh.host import RemoteHost

__all__ = [
    "ContainerEnvironment",
    "Environment",
    "EnvironmentDown",
    "HostEnvironment",
    "environment_of",
]


def environment_of(
    name: str, project: Project, group: str, entry: Host, remote: RemoteHost
) -> Environment:
    """Return where the programs of `project` run on one host of a group, as the config says.

    Only this function knows which kinds of environment there are.
    """
    runtime = project.config.runtime
    if runtime == "none":
        return HostEnvironment(name=name, project=project, group=group, entry=entry, remote=remote)
    return ContainerEnvironment(
        name=name, project=project, group=group, entry=entry, remote=remote,
        runtime=Runtime(runtime),
    )  # fmt: skip
