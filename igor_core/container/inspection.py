"""The image and container on a host, and what runs in the container, in one round trip."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from igor_core.container.engine_errors import engine_error
from igor_core.container.names import Owner
from igor_core.container.shell import Said, Shell, batch
from igor_core.container.shell import text as said_text
from igor_core.errors import HostError
from igor_core.runtime import KEEP_ALIVE, Runtime
from igor_core.shapes import (
    WrongShape,
    items,
    members,
    number,
    optional,
    parsed,
    table,
    text,
    words,
)
from igor_core.ssh.process import MOST_OUTPUT


@dataclass(frozen=True)
class Image:
    """An image on a host; `tags` are its names there."""

    id: str
    labels: Mapping[str, str]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """A container on a host. `status` is the engine's: running, exited, created, paused…

    `image` is the id of the image that it was created from, `pid` the host's id of its init;
    `mounts` are the paths in it where something is mounted.
    """

    id: str
    name: str
    image: str
    status: str
    pid: int
    labels: Mapping[str, str]
    mounts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Inspection:
    """The state of one host. `processes` are the command lines that run in the container, without
    igor's own; None if they can't be listed. `folders` identifies the folders on the host that
    are to be mounted, like the label CONTAINER_FOLDERS.
    """

    rootless: bool
    image: Image | None
    container: Container | None
    processes: tuple[str, ...] | None = ()
    folders: str = ""


#: Prints which folders its arguments are. A folder that is removed and made anew may get the same
#: inode, but is younger.
IDENTIFY = 'stat -L -c %i:%W -- "$@" 2>/dev/null | tr "\\n" " "'


async def inspect(
    shell: Shell, runtime: Runtime, owner: Owner, folders: Sequence[str]
) -> Inspection:
    """Ask a host for the image and container of `owner`, in one round trip.

    `folders` are those on the host that are to be mounted in the container. Raises HostError when
    the engine is missing, is down or may not be used.
    """
    info, image, container, top, identified = await batch(
        shell,
        [
            runtime.info(),
            runtime.image_inspect([owner.image]),
            runtime.container_inspect([owner.container]),
            runtime.top(owner.container),
            ["sh", "-c", IDENTIFY, "igor", *folders],
        ],
    )
    images = [_image(item) for item in objects(image, runtime)]
    containers = [_container(item) for item in objects(container, runtime)]
    if info.status != 0:
        raise engine_error(runtime, info.status, info.stderr)
    found = containers[0] if containers else None
    return Inspection(
        rootless=runtime.is_rootless(info.stdout),
        image=images[0] if images else None,
        container=found,
        processes=_processes(top, found) if found and found.status == "running" else (),
        folders=said_text(identified.stdout),
    )


# Only the members that this module reads.
_TEXTS = optional(table(text(1 << 20)))
_INSPECTED = optional(
    items(
        members(
            {"Id": text(256)},
            {
                "Config": optional(members({}, {"Labels": _TEXTS}, others=True)),
                "Labels": _TEXTS,
                "RepoTags": optional(items(text(512))),
                "Name": text(512),
                "State": optional(
                    members(
                        {}, {"Status": text(64), "Pid": optional(number(0, 1 << 32))}, others=True
                    )
                ),
                "Mounts": optional(items(members({}, {"Destination": text()}, others=True))),
            },
            others=True,
        )
    )
)
_ABSENT = re.compile(r"no such (image|container|object)|image not known", re.IGNORECASE)


def objects(said: Said, runtime: Runtime) -> list[dict[str, Any]]:
    """Parse what an inspect command printed; empty if what it was asked for does not exist."""
    if said.status != 0 and not _ABSENT.search(said.stderr):
        raise engine_error(runtime, said.status, said.stderr)
    try:
        found: list[dict[str, Any]] = parsed(
            said.stdout or b"[]", _INSPECTED, f"the output of {runtime.word} inspect", MOST_OUTPUT
        )
    except WrongShape as error:
        raise HostError(f"{error}: {words(said.stdout)[:200]}") from None
    return found or []


def _image(item: dict[str, Any]) -> Image:
    labels = (item.get("Config") or {}).get("Labels") or item.get("Labels") or {}
    return Image(str(item["Id"]), labels, tuple(item.get("RepoTags") or ()))


def _container(item: dict[str, Any]) -> Container:
    state = item.get("State") or {}
    return Container(
        id=str(item["Id"]),
        name=str(item.get("Name", "")).lstrip("/"),
        image=str(item.get("Image", "")),
        status=str(state.get("Status", "")),
        pid=int(state.get("Pid") or 0),
        labels=(item.get("Config") or {}).get("Labels") or {},
        mounts=frozenset(str(mount.get("Destination")) for mount in item.get("Mounts") or ()),
    )


def containers_in(said: Said, runtime: Runtime) -> list[Container]:
    return [_container(item) for item in objects(said, runtime)]


def images_in(said: Said, runtime: Runtime) -> list[Image]:
    return [_image(item) for item in objects(said, runtime)]


def _processes(top: Said, container: Container) -> tuple[str, ...] | None:
    """Return the command lines in the output of `top`, without init and igor's `sleep`."""
    if top.status != 0:
        return None
    rows = [row.split(None, 1) for row in said_text(top.stdout).splitlines()[1:]]
    own = {KEEP_ALIVE, f"sh -c exec {KEEP_ALIVE}"}
    return tuple(
        row[1].strip()
        for row in rows
        if len(row) == 2 and row[0] != str(container.pid) and row[1].strip() not in own
    )
