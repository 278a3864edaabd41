"""Containers on hosts: bring one into the wanted state, or remove what belongs to a project."""

from collections.abc import Sequence
from dataclasses import dataclass

from igor_core.container.engine_errors import engine_error, last_line
from igor_core.container.inspection import Container, Image, Inspection, containers_in, images_in
from igor_core.container.names import CONTAINER_PROJECT, IMAGE_PROJECT, Owner
from igor_core.container.plan import ContainerPlan
from igor_core.container.shell import FIRST, Said, Shell, batch, counted, text
from igor_core.container.spec import Spec
from igor_core.errors import HostError
from igor_core.runtime import Runtime

# $1 is the project's folder, $2 the containers' home or empty, $3 the folder of igor's own files.
# Counted commands follow: remove the old container, create, start, try a command in it, show its
# log, remove it.
# `create` and `start` are apart because only after our own `create` is the name ours to remove.
_REPLACE = (
    FIRST
    + """\
[ -d "$1" ] || { printf '%s: there is no such folder\\n' "$1" >&2; exit 66; }
[ -z "$2" ] || (umask 077 && mkdir -p -- "$2") || exit 73
(umask 077 && mkdir -p -- "$3" && chmod 755 -- "$3") || exit 73
shift 3
first "$@" >/dev/null || exit
shift $(($1 + 1))
first "$@" >/dev/null || exit
shift $(($1 + 1))
first "$@" >/dev/null
status=$?
shift $(($1 + 1))
if [ "$status" -eq 0 ]; then first "$@" </dev/null >&2 || status=$?; fi
shift $(($1 + 1))
[ "$status" -eq 0 ] && exit
first "$@" >&2
shift $(($1 + 1))
first "$@" >/dev/null 2>&1
exit "$status"
"""
)
_NO_TREE = 66


async def bring_up(
    shell: Shell, runtime: Runtime, spec: Spec, inspection: Inspection, plan: ContainerPlan
) -> None:
    """Do what the plan says; one round trip, none to keep. Whoever calls has asked the user.

    HostError when it fails; then no half-made container is left.
    """
    if plan.action == "keep":
        return
    if plan.action == "start":
        done = await shell.run(runtime.start(spec.owner.container))
    else:
        done = await shell.run(replace_command(runtime, spec, inspection))
    if done.status == _NO_TREE:
        raise HostError(text(done.stderr), "push first: igor push")
    if done.status != 0:
        raise engine_error(runtime, done.status, text(done.stderr))


def replace_command(runtime: Runtime, spec: Spec, inspection: Inspection) -> list[str]:
    """The command that removes the old container, if there is one, and starts a new one."""
    if inspection.image is None:
        raise HostError(f"there is no image {spec.owner.image}", "build it: igor docker build")
    name, old = spec.owner.container, inspection.container
    options = spec.options(runtime, inspection.rootless, inspection.image.id)
    commands = counted(
        runtime.remove([old.id]) if old else ["true"],
        runtime.create(options),
        runtime.start(name),
        runtime.exec(name, ["sh", "-c", ":"], stdin=False),
        runtime.logs(name),
        runtime.remove([name]),
    )
    home = spec.home if spec.run_as == "user" else ""
    return ["sh", "-c", _REPLACE, "igor", spec.tree, home, spec.run, *commands]


# A counted command that lists ids, then the command that they are added to.
_OF_LISTED = (
    FIRST
    + """\
ids=$(first "$@") || exit
shift $(($1 + 1))
[ -z "$ids" ] || exec "$@" $ids
"""
)


@dataclass(frozen=True)
class Cleaned:
    """What was removed, by name, and what the engine would not remove: (name, why)."""

    containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


async def clean(shell: Shell, runtime: Runtime, owner: Owner, *, images: bool = False) -> Cleaned:
    """Remove the owner's containers on a host, running ones too; with `images` also the images
    of this project and user, old ones too. Labels decide, names don't.

    HostError when the engine can't be used.
    """
    containers = await owned_containers(shell, runtime, owner)
    if containers:
        done = await shell.run(runtime.remove([container.id for container in containers]))
        if done.status != 0:
            raise engine_error(runtime, done.status, text(done.stderr))
    names = tuple(container.name for container in containers)
    if not images:
        return Cleaned(names)
    return await _clean_images(shell, runtime, owner, names)


async def _clean_images(
    shell: Shell, runtime: Runtime, owner: Owner, containers: tuple[str, ...]
) -> Cleaned:
    found = await owned_images(shell, runtime, owner)
    names = [", ".join(image.tags) or image.id.removeprefix("sha256:")[:12] for image in found]
    commands = [runtime.remove_images(image.tags or [image.id]) for image in found]
    # One after the other: an image goes only when those made from it are gone.
    results = [
        (name, (await batch(shell, [command]))[0])
        for name, command in zip(names, commands, strict=True)
    ]
    return Cleaned(
        containers,
        tuple(name for name, said in results if said.status == 0),
        tuple((name, last_line(said.stderr)) for name, said in results if said.status != 0),
    )


async def owned_containers(shell: Shell, runtime: Runtime, owner: Owner) -> list[Container]:
    """The owner's containers on a host, running or not; one round trip."""
    listing = runtime.containers_with_label(CONTAINER_PROJECT)
    said = await _listed(shell, runtime, listing, runtime.container_inspect([]))
    return [found for found in containers_in(said, runtime) if owner.owns(found.labels)]


async def owned_images(shell: Shell, runtime: Runtime, owner: Owner) -> list[Image]:
    """The images of the owner's project on a host, those that newer ones replaced too."""
    listing = runtime.images_with_label(IMAGE_PROJECT)
    said = await _listed(shell, runtime, listing, runtime.image_inspect([]))
    owned = [image for image in images_in(said, runtime) if owner.owns_image(image.labels)]
    return list({image.id: image for image in owned}.values())


async def _listed(
    shell: Shell, runtime: Runtime, listing: Sequence[str], inspecting: Sequence[str]
) -> Said:
    done = await shell.run(["sh", "-c", _OF_LISTED, "igor", *counted(listing), *inspecting])
    return Said(done.status, done.stdout, text(done.stderr))
