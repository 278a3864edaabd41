"""Decide what to do with a container, from what the host has and what the config asks for."""

from dataclasses import dataclass
from typing import Literal

from igor_core.container.inspection import Container, Inspection
from igor_core.container.names import (
    CONTAINER_CONFIG,
    CONTAINER_FOLDERS,
    CONTAINER_GROUP,
    CONTAINER_PROJECT,
    CONTAINER_USER,
    Owner,
)
from igor_core.container.spec import Spec
from igor_core.errors import HostError
from igor_core.paths import RUN_FOLDER
from igor_core.runtime import Runtime


@dataclass(frozen=True)
class ContainerPlan:
    """`action` is what to do, `reason` why, in a few words.

    `usable` says whether commands can run in the present container. For "replace", `processes`
    are the command lines that would be ended (None: they can't be listed).
    """

    action: Literal["keep", "start", "create", "replace"]
    reason: str
    usable: bool = False
    processes: tuple[str, ...] | None = ()

    @property
    def in_use(self) -> bool:
        """Whether replacing the container ends, or may end, a program."""
        return self.processes != ()


def plan_container(inspection: Inspection, spec: Spec, runtime: Runtime) -> ContainerPlan:
    """Decide what to do so that the container that the config asks for runs.

    Raises HostError when it is paused, or when another owner's container has its name.
    """
    container = inspection.container
    if container is None:
        return ContainerPlan("create", "it does not exist")
    if not spec.owner.owns(container.labels):
        raise _taken(container, spec.owner)
    if container.status == "paused":
        raise HostError(
            f"the container {container.name} is paused",
            f"on the host: {runtime.word} unpause {container.name}",
        )
    is_current = container.labels.get(CONTAINER_FOLDERS, "").strip() == inspection.folders
    old = _why_old(inspection, container, spec, runtime)
    if not old and not is_current:
        old = f"{spec.tree}, or igor's folder beside it, was moved or removed since"
    usable = container.status == "running" and is_current
    if old:
        return ContainerPlan("replace", old, usable, inspection.processes)
    if usable or container.status == "restarting":
        return ContainerPlan("keep", "it is running", usable)
    return ContainerPlan("start", f"it is {container.status}")


def _why_old(inspection: Inspection, container: Container, spec: Spec, runtime: Runtime) -> str:
    if container.status in ("created", "initialized", "configured", "dead", "removing"):
        return "it never started"
    if inspection.image is None:
        return "its image is gone"
    if container.image != inspection.image.id:
        return "the image changed"
    wanted = spec.options(runtime, inspection.rootless, inspection.image.id)
    if container.labels.get(CONTAINER_CONFIG) != wanted.labels[CONTAINER_CONFIG]:
        if RUN_FOLDER not in container.mounts:
            return f"an earlier version of igor created it, without {RUN_FOLDER}"
        return "its options changed"
    return ""


def _taken(container: Container, owner: Owner) -> HostError:
    if CONTAINER_PROJECT not in container.labels:
        return HostError(
            f"igor did not create the container {container.name} on the host",
            "rename or remove it, then try again",
        )
    theirs = [
        container.labels.get(name, "?")
        for name in (CONTAINER_USER, CONTAINER_PROJECT, CONTAINER_GROUP)
    ]
    return HostError(
        f"the container {container.name} belongs to project '{theirs[1]}' of '{theirs[0]}' "
        f"in group '{theirs[2]}', which gives the same name",
        'set another "project" or "user" in the config of one of them',
    )
