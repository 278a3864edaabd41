"""Is the project itself in order? Read once for all hosts."""

from typing import NamedTuple

from igor_core.config import Project
from igor_core.container.stamp import Inputs, read_inputs
from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.local import debug_port_check
from igor_core.doctor.local_port import port_use
from igor_core.errors import IgorError
from igor_core.trust import is_trusted
from igor_core.worktree.files import Tree, scan


class ProjectState(NamedTuple):
    """What there is to say, and what the image is made from (None where it can't be read)."""

    checks: tuple[Check, ...]
    inputs: Inputs | None = None


def project_state(project: Project) -> ProjectState:
    """Look at trust, the debug port, the files and what the image is made from. Blocks."""
    config = project.config
    checks = (_trust(project), debug_port_check(port_use(config.debug_port)))
    try:
        tree = scan(project.root, config.include, config.exclude)
    except IgorError as error:
        return ProjectState((*checks, fail("files", error.message, error.hint)))
    if config.runtime == "none":
        return ProjectState((*checks, _files(tree)))
    inputs, dockerfile = _inputs(project, tree)
    return ProjectState((*checks, _files(tree), dockerfile), inputs)


def _trust(project: Project) -> Check:
    try:
        if is_trusted(project):
            return ok("trust", "the project is trusted")
    except IgorError as error:
        return fail("trust", error.message, error.hint)
    return skip(
        "trust", "the project is not trusted: only typed commands act", "trust it with: igor trust"
    )


def _files(tree: Tree) -> Check:
    if not tree.files:
        text = "the project has no files, so there is nothing to push"
        return warn("files", text, "does git ignore all of them?")
    return ok("files", f"{len(tree.files)} belong to the project")


def _inputs(project: Project, tree: Tree) -> tuple[Inputs | None, Check]:
    config = project.config
    try:
        dockerfile = project.dockerfile()
        inputs = read_inputs(
            project.root,
            dockerfile,
            config.docker_rebuild_files,
            config.docker_build_args,
            tree.files,
        )
    except IgorError as error:
        return None, fail("dockerfile", error.message, error.hint)
    if inputs.missing:
        text = f"no pushed file matches {', '.join(inputs.missing)} in docker_rebuild_files"
        return inputs, warn("dockerfile", text, "correct docker_rebuild_files in the config")
    return inputs, ok("dockerfile", f"{dockerfile} exists")
