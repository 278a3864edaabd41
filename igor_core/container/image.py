"""Images: whether one is to be built, and the command that builds it on a host."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from igor_core.container.engine_errors import engine_error, last_line
from igor_core.container.inspection import Image
from igor_core.container.names import IMAGE_PROJECT, IMAGE_STAMP, IMAGE_USER, Owner, label
from igor_core.container.shell import FIRST, counted
from igor_core.container.stamp import Inputs
from igor_core.env_variables import packed
from igor_core.errors import HostError
from igor_core.runtime import BuildOptions, Runtime

#: Exit status of the build command when the context could not be read (EX_IOERR).
CONTEXT_FAILED = 74


@dataclass(frozen=True)
class ImagePlan:
    """Whether to build, and one line that says why or why not."""

    build: bool
    text: str


@dataclass(frozen=True)
class BuildCommand:
    """Run `argv` on the host with `input` as its standard input; its output is the build's own."""

    argv: Sequence[str]
    input: bytes
    env: Mapping[str, str]


def plan_image(
    image: Image | None, inputs: Inputs, owner: Owner, *, force: bool = False
) -> ImagePlan:
    """Whether the image on a host is to be built again.

    HostError when the name belongs to another project or user.
    """
    if image is None:
        return ImagePlan(True, "build: image is not there")
    if IMAGE_STAMP in image.labels and not owner.owns_image(image.labels):
        raise _taken(image, owner)
    if force:
        return ImagePlan(True, "rebuild: asked for")
    if IMAGE_STAMP not in image.labels:
        return ImagePlan(True, "rebuild: the image of this name was not built by igor")
    changes = inputs.differences(image.labels)
    if changes:
        return ImagePlan(True, f"rebuild: {', '.join(changes)}")
    return ImagePlan(False, f"image up to date ({inputs.stamp[:4]}…)")


def _taken(image: Image, owner: Owner) -> HostError:
    theirs = f"'{image.labels.get(IMAGE_PROJECT)}' of '{image.labels.get(IMAGE_USER)}'"
    return HostError(
        f"the image {owner.image} belongs to the project {theirs}, "
        f"not to '{label(owner.project)}' of '{label(owner.user)}'",
        'give one of them another name: "project" or "user" in its config',
    )


# $1 is the folder; three counted commands follow: build, name the image, drop its first name.
# Standard input is the list of the context's files. The image gets its lasting name only when
# both tar and the build have succeeded, so a file that could not be read leaves the old image.
_BUILD = (
    FIRST
    + """\
cd -- "$1" || exit 74
shift
exec 4>&1
packed=$({ {
    tar --null --no-recursion --hard-dereference --format=gnu \\
        --numeric-owner --owner=0 --group=0 -T - -cf - 3>&- 4>&-
    printf %s "$?" >&3
} | first "$@" >&4 3>&- 4>&-; } 3>&1)
status=$?
shift $(($1 + 1))
[ "$status" -ne 0 ] || [ "$packed" -eq 0 ] || status=74
if [ "$status" -eq 0 ]; then first "$@" >&2 || status=$?; fi
shift $(($1 + 1))
first "$@" >/dev/null 2>&1
exit "$status"
"""
)


def build_command(
    runtime: Runtime,
    owner: Owner,
    inputs: Inputs,
    *,
    tree: str,
    dockerfile: str,
    args: Mapping[str, str],
    context: bytes,
    no_cache: bool = False,
) -> BuildCommand:
    """The command that builds an image from the pushed files in `tree`, a folder on the host.

    `context` is from `context_list`. Status 0: the image has its name and labels.
    """
    first_name = f"{owner.image}:igor-{secrets.token_hex(4)}"
    options = BuildOptions(
        dockerfile=dockerfile,
        tag=first_name,
        labels=owner.image_labels | inputs.labels,
        args=args,
        no_cache=no_cache,
    )
    commands = counted(
        runtime.build(options),
        runtime.tag(first_name, owner.image),
        runtime.remove_images([first_name]),
    )
    return BuildCommand(["sh", "-c", _BUILD, "igor", tree, *commands], context, packed(args))


def build_error(runtime: Runtime, status: int, said: str) -> HostError:
    """The error for a build that ended with this status; `said` is the end of what it printed."""
    if status == CONTEXT_FAILED:
        return HostError(
            f"the build was given up because a pushed file can't be read there: {last_line(said)}",
            "push again; a program on the host may have removed it",
        )
    known = engine_error(runtime, status, said)
    if known.hint:
        return known
    return HostError(f"the build failed: {_build_line(said)}", "the output above says where")


_BUILD_LINE = re.compile(
    r"^(ERROR:|Error:|error:|The command |Error response|COPY failed|ADD failed|failed to )"
)


def _build_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _BUILD_LINE.match(line)]
    return (telling or lines or ["it said nothing"])[-1]
