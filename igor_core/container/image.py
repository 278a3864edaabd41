"""Images: whether to build one, and the command that builds it on a host."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

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
    """What to do about an image, and why, in a few words."""

    action: Literal["keep", "build", "rebuild"]
    reason: str

    @property
    def text(self) -> str:
        """One line for the user."""
        return self.reason if self.action == "keep" else f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class BuildCommand:
    """`argv` is to be run on the host with `input` as its standard input; it prints the build."""

    argv: Sequence[str]
    input: bytes
    env: Mapping[str, str]


def plan_image(
    image: Image | None, inputs: Inputs, owner: Owner, *, force: bool = False
) -> ImagePlan:
    """Decide whether to build the image on a host.

    Raises HostError when the name belongs to another project or user.
    """
    if image is None:
        return ImagePlan("build", "no image yet")
    if IMAGE_STAMP in image.labels and not owner.owns_image(image.labels):
        raise _taken(image, owner)
    if force:
        return ImagePlan("rebuild", "forced")
    if IMAGE_STAMP not in image.labels:
        return ImagePlan("rebuild", "igor did not build the image of this name")
    changes = inputs.differences(image.labels)
    if changes:
        return ImagePlan("rebuild", ", ".join(changes))
    return ImagePlan("keep", f"image up to date ({inputs.stamp[:4]}…)")


def _taken(image: Image, owner: Owner) -> HostError:
    theirs = f"'{image.labels.get(IMAGE_PROJECT)}' of '{image.labels.get(IMAGE_USER)}'"
    return HostError(
        f"the image {owner.image} belongs to the project {theirs}, "
        f"not to '{label(owner.project)}' of '{label(owner.user)}'",
        'set another "project" or "user" in the config of one of them',
    )


# $1 is the folder; three counted commands follow: build, name the image, remove its first name.
# Standard input is the list of the context's files. The image gets its final name only if both
# tar and the build succeed, so a file that can't be read leaves the old image in place.
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
    """Return the command that builds an image from the pushed files in `tree` on the host.

    `context` is from `context_list`. After status 0 the image has its name and labels.
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
    """Return the error for a build's exit status; `said` is the end of its output."""
    if status == CONTEXT_FAILED:
        return HostError(
            f"the build stopped: the host can't read a pushed file: {last_line(said)}",
            "push again; a program on the host may have removed the file",
        )
    known = engine_error(runtime, status, said)
    if known.hint:
        return known
    return HostError(f"the build failed: {_build_line(said)}", "see the output above")


_BUILD_LINE = re.compile(
    r"^(ERROR:|Error:|error:|The command |Error response|COPY failed|ADD failed|failed to )"
)


def _build_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _BUILD_LINE.match(line)]
    return (telling or lines or ["no output"])[-1]
