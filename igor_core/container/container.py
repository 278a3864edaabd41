"""Containers on hosts: create, start or replace one, or remove those of a project."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from igor_core.container.engine_errors import engine_error, last_line
from igor_core.container.inspection import Container, Image, Inspection, containers_in, images_in
from igor_core.container.names import CONTAINER_FOLDERS, CONTAINER_PROJECT, IMAGE_PROJECT, Owner
from igor_core.container.plan import ContainerPlan
from igor_core.container.shell import FIRST, Said, Shell, batch, counted, text
from igor_core.container.spec import HOME, Spec
from igor_core.env_variables import packed
from igor_core.errors import HostError
from igor_core.own_folder import FUNCTIONS, UNSAFE_STATUS
from igor_core.paths import RUN_FOLDER, unsafe_hint
from igor_core.runtime import Runtime

# $1 is the folder of all trees, $2 the project, $3 the containers' home or empty, $4 "new" for a
# new container, $5 the name of the file for its label. Counted commands follow: remove the old
# container, create, start, print which folders it sees, print its log, remove it.
# `create` and `start` are apart because only after igor's own `create` may igor remove the name.
# The engine finds the folders by name. If other users can replace them meanwhile, the script
# checks that the container sees the folders that the script has checked.
_BRING_UP = (
    FUNCTIONS
    + FIRST
    + f"""\
making=yes
base=$1 home=$3 new=$4 labels=$5
cd -P -- "$base" 2>/dev/null && [ -d "./$2" ] || {{
    printf '%s: no such folder\\n' "$base/$2" >&2
    exit 66
}}
held=$(
    (tree "$2" && stat -c %d:%i .) &&
        ([ -z "$home" ] || {{ own .igor-host 700 && own home 700 && stat -c %d:%i .; }}) &&
        (own .igor-host 700 && own run 755 && stat -c %d:%i .)
) || exit
folders=$(stat -L -c %i:%W -- "./$2" .igor-host/run ${{home:+.igor-host/home}} | tr '\n' ' ')
(own .igor-host 700 && printf '%s=%s\n' {CONTAINER_FOLDERS} "$folders" >"$labels") || exit
shift 5
first "$@" >/dev/null || exit
shift $(($1 + 1))
first "$@" >/dev/null || exit
rm -f ".igor-host/$labels"
shift $(($1 + 1))
first "$@" >/dev/null
status=$?
shift $(($1 + 1))
if [ "$status" -eq 0 ]; then seen=$(first "$@" </dev/null) || status=$?; fi
shift $(($1 + 1))
case $(stat -c %A .) in
    *[tT]) seen=$held ;;
    ?????w* | ????????w?) ;;
    *) mine "$(stat -c %u .)" && seen=$held ;;
esac
if [ "$status" -eq 0 ] && [ -n "$seen" ] && [ "$seen" != "$held" ]; then
    echo "$base: a folder in it was replaced while the container started" >&2
    status={UNSAFE_STATUS}
fi
[ "$status" -eq 0 ] && exit
[ "$status" -eq {UNSAFE_STATUS} ] || [ -n "$new" ] || exit "$status"
[ "$status" -eq {UNSAFE_STATUS} ] || first "$@" >&2
shift $(($1 + 1))
first "$@" >/dev/null 2>&1
exit "$status"
"""
)
_SEEN = 'stat -L -c %d:%i -- "$@" 2>/dev/null || :'
_NO_TREE = 66


async def bring_up(
    shell: Shell, runtime: Runtime, spec: Spec, inspection: Inspection, plan: ContainerPlan
) -> None:
    """Do what the plan says, in one round trip. The caller has asked the user.

    Raises HostError when it fails, and then leaves no incomplete container behind.
    """
    if plan.action == "keep":
        return
    if plan.action == "start":
        done = await shell.run(start_command(runtime, spec))
    else:
        done = await shell.run(replace_command(runtime, spec, inspection), env=packed(spec.env))
    if done.status == UNSAFE_STATUS:
        raise HostError(text(done.stderr), unsafe_hint(posixpath.dirname(spec.tree)))
    if done.status == _NO_TREE:
        raise HostError(text(done.stderr), "push first: igor push")
    if done.status != 0:
        raise engine_error(runtime, done.status, text(done.stderr))


def replace_command(runtime: Runtime, spec: Spec, inspection: Inspection) -> list[str]:
    """Return the command that removes the old container, if any, and starts a new one.

    It expects the values of `spec.env` in its environment, packed.
    """
    if inspection.image is None:
        raise HostError(f"there is no image {spec.owner.image}", "build it: igor docker build")
    old = inspection.container
    options = spec.options(runtime, inspection.rootless, inspection.image.id)
    return _command(
        runtime,
        spec,
        "new",
        runtime.remove([old.id]) if old else ["true"],
        runtime.create(options),
    )


def start_command(runtime: Runtime, spec: Spec) -> list[str]:
    """Return the command that starts the existing container."""
    return _command(runtime, spec, "", ["true"], ["true"])


def _command(runtime: Runtime, spec: Spec, new: str, *before: Sequence[str]) -> list[str]:
    name = spec.owner.container
    home = [HOME] if spec.run_as == "user" else []
    look = ["sh", "-c", _SEEN, "igor", spec.workspace, *home, RUN_FOLDER]
    commands = counted(
        *before,
        runtime.start(name),
        runtime.exec(name, look, stdin=False),
        runtime.logs(name),
        runtime.remove([name]),
    )
    base, project = posixpath.split(spec.tree)
    label = posixpath.basename(spec.label_file)
    return ["sh", "-c", _BRING_UP, "igor", base, project, "".join(home), new, label, *commands]


# A counted command that lists ids, then the command that takes them as arguments.
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
    """What was removed, by name, and what the engine refused to remove: (name, why)."""

    containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


async def clean(shell: Shell, runtime: Runtime, owner: Owner, *, images: bool = False) -> Cleaned:
    """Remove the owner's containers on a host, even running ones.

    With `images`, remove all images of this project and user too. Labels decide, not names.
    Raises HostError when the engine can't be used.
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
    # One after the other: an image can go only after those built from it.
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
    """Return the owner's containers on a host, running or not, in one round trip."""
    listing = runtime.containers_with_label(CONTAINER_PROJECT)
    said = await _listed(shell, runtime, listing, runtime.container_inspect([]))
    return [found for found in containers_in(said, runtime) if owner.owns(found.labels)]


async def owned_images(shell: Shell, runtime: Runtime, owner: Owner) -> list[Image]:
    """Return the images of the owner's project on a host, even replaced ones."""
    listing = runtime.images_with_label(IMAGE_PROJECT)
    said = await _listed(shell, runtime, listing, runtime.image_inspect([]))
    owned = [image for image in images_in(said, runtime) if owner.owns_image(image.labels)]
    return list({image.id: image for image in owned}.values())


async def _listed(
    shell: Shell, runtime: Runtime, listing: Sequence[str], inspecting: Sequence[str]
) -> Said:
    done = await shell.run(["sh", "-c", _OF_LISTED, "igor", *counted(listing), *inspecting])
    return Said(done.status, done.stdout, text(done.stderr))
