"""doctor's checks of the project itself, once for all hosts."""

from dataclasses import dataclass

from igor_core.config import Project
from igor_core.container.stamp import Inputs, read_inputs
from igor_core.doctor.check import Check, fail, ok, warn
from igor_core.errors import IgorError
from igor_core.worktree.files import Tree, scan


@dataclass(frozen=True)
class Material:
    """What the image is made from (None if it cannot be read), and the checks of it."""

    inputs: Inputs | None
    checks: tuple[Check, ...]


def read_material(project: Project) -> Material:
    """Read the local files and, with containers, what the image is made from. Blocks."""
    config = project.config
    try:
        tree = scan(project.root, config.include, config.exclude)
    except IgorError as error:
        return Material(None, (fail("files", error.message, error.hint),))
    files = _files(tree)
    if config.runtime == "none":
        return Material(None, (files,))
    inputs, dockerfile = _inputs(project, tree)
    return Material(inputs, (files, dockerfile))


def _files(tree: Tree) -> Check:
    if not tree.files:
        return warn("files", "the project has no files, so there is nothing to push",
                    "git may ignore all of them")  # fmt: skip
    return ok("files", f"{len(tree.files)} in the project")


def _inputs(project: Project, tree: Tree) -> tuple[Inputs | None, Check]:
    config = project.config
    try:
        dockerfile = project.dockerfile()
        inputs = read_inputs(
            project.root, dockerfile, config.docker_rebuild_files, config.docker_build_args,
            tree.files,
        )  # fmt: skip
    except IgorError as error:
        return None, fail("dockerfile", error.message, error.hint)
    if inputs.missing:
        missing = ", ".join(inputs.missing)
        return inputs, warn("dockerfile", f"docker_rebuild_files: no pushed file matches {missing}",
                            "correct the config")  # fmt: skip
    return inputs, ok("dockerfile", f"{dockerfile} exists")
