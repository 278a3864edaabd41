"""What is to become of a container, and what a host's answers mean; pure but for a local sh."""

from dataclasses import replace

import pytest

from igor_core.container.engine_errors import engine_error
from igor_core.container.inspection import Container, Image, Inspection
from igor_core.container.names import CONTAINER_CONFIG, CONTAINER_FOLDERS, Owner
from igor_core.container.plan import plan_container
from igor_core.container.shell import batch
from igor_core.container.spec import Spec
from igor_core.errors import HostError
from igor_core.runtime import Runtime
from tests.support.local_shell import LocalShell

DOCKER, PODMAN = Runtime("docker"), Runtime("podman")
IMAGE = Image("sha256:1", {})
SPEC = Spec(
    owner=Owner("dino", "project", "dev"),
    tree="/data/project",
    private="/data/.igor-host",
    home="/data/.igor-host/home",
    run="/data/.igor-host/run",
    workspace="/workspace",
    run_as="user",
    uid=1000,
    gid=100,
    login="dino",
    env={"OMP_NUM_THREADS": "4"},
    run_args=(),
)


FOLDERS = "11:1700000000 12:1700000001 13:1700000002"
MOVED = "/data/project, or igor's folder beside it, was moved or removed since"


def found(status: str = "running", spec: Spec = SPEC, **changes: object) -> Inspection:
    """A host with the container of `spec` in this state."""
    labels = {**spec.options(DOCKER, False, IMAGE.id).labels, CONTAINER_FOLDERS: f"{FOLDERS} "}
    mounts = frozenset({"/workspace", "/home/igor", "/run/igor"})
    container = Container("abc", "dino-project-dev", IMAGE.id, status, 42, labels, mounts)
    return replace(Inspection(False, IMAGE, container, folders=FOLDERS), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inspection", "action", "reason"),
    [
        (found(), "keep", "it is running"),
        (found(container=None), "create", "it does not exist"),
        (found("exited"), "start", "it is exited"),
        (found("created"), "replace", "it never started"),
        (found("dead"), "replace", "it never started"),
        (found(image=Image("sha256:2", {})), "replace", "the image changed"),
        (found(image=None), "replace", "its image is gone"),
        (found(rootless=True), "replace", "its options changed"),
        (found(spec=replace(SPEC, tree="/elsewhere")), "replace", "its options changed"),
        (found(spec=replace(SPEC, env={})), "replace", "its options changed"),
        (found("exited", replace(SPEC, uid=1)), "replace", "its options changed"),
        (found(folders="11:1700000009 12:1700000001 13:1700000002"), "replace", MOVED),
        (found("exited", folders="99:1700000000 12:1700000001 13:1700000002"), "replace", MOVED),
        (found(folders="12:1700000001 13:1700000002"), "replace", MOVED),
        (found(folders=""), "replace", MOVED),
    ],
)
def test_the_plan(inspection: Inspection, action: str, reason: str) -> None:
    plan = plan_container(inspection, SPEC, DOCKER)
    assert (plan.action, plan.reason) == (action, reason)


def test_a_container_without_igors_own_files_is_old_and_still_of_use() -> None:
    before = found(spec=replace(SPEC, run="/elsewhere")).container
    assert before is not None
    earlier = replace(before, mounts=frozenset({"/workspace", "/home/igor"}))
    plan = plan_container(found(container=earlier), SPEC, DOCKER)
    assert (plan.action, plan.usable) == ("replace", True)
    assert plan.reason == "an earlier version of igor created it, without /run/igor"


def test_a_container_whose_processes_could_not_be_listed_counts_as_in_use() -> None:
    inspection = found(spec=replace(SPEC, env={}), processes=None)
    assert plan_container(inspection, SPEC, DOCKER).in_use


def test_a_paused_container_is_not_touched() -> None:
    with pytest.raises(HostError, match="is paused"):
        plan_container(found("paused"), SPEC, DOCKER)


def test_another_projects_container_of_the_same_name_is_not_touched() -> None:
    theirs = replace(SPEC, owner=Owner("dino", "Project", "dev"))
    with pytest.raises(HostError, match="belongs to project 'Project' of 'dino' in group 'dev'"):
        plan_container(found(spec=theirs), SPEC, DOCKER)


@pytest.mark.parametrize(
    ("runtime", "rootless", "user", "userns"),
    [
        (DOCKER, False, "1000:100", ""),
        (DOCKER, True, "0:0", ""),
        (PODMAN, True, "1000:100", "keep-id"),
        (PODMAN, False, "1000:100", ""),
    ],
)
def test_whoever_writes_to_the_mount_is_the_login_user_on_the_host(
    runtime: Runtime, rootless: bool, user: str, userns: str
) -> None:
    options = SPEC.options(runtime, rootless, IMAGE.id)
    assert (options.user, options.userns) == (user, userns)
    assert options.env["HOME"] == "/home/igor"
    assert options.mounts == {"/workspace": SPEC.tree, "/home/igor": SPEC.home}


def test_the_image_decides_when_the_config_says_so() -> None:
    options = replace(SPEC, run_as="image").options(PODMAN, True, IMAGE.id)
    assert (options.user, options.userns) == ("", "")
    assert options.env == {"OMP_NUM_THREADS": "4"}
    assert options.mounts == {"/workspace": SPEC.tree}
    assert options.read_only == {"/run/igor": SPEC.run}


def test_the_hosts_variables_win_over_igors() -> None:
    options = replace(SPEC, env={"HOME": "/root"}).options(DOCKER, False, IMAGE.id)
    assert options.env["HOME"] == "/root"


def test_the_config_label_changes_with_the_image_alone() -> None:
    one, other = (SPEC.options(DOCKER, False, image) for image in ("sha256:1", "sha256:2"))
    assert one.labels[CONTAINER_CONFIG] != other.labels[CONTAINER_CONFIG]


async def test_a_batch_tells_each_commands_status_output_and_errors_apart() -> None:
    said = await batch(
        LocalShell(),
        [
            ["printf", "%s|", "a b", "", "$(id)", "line\nbreak", "-n"],
            ["sh", "-c", "echo out; echo err >&2; exit 3"],
            ["igor-no-such-program"],
            ["cat"],
        ],
    )
    assert said[0].stdout == b"a b||$(id)|line\nbreak|-n|"
    assert (said[1].status, said[1].stdout, said[1].stderr) == (3, b"out\n", "err")
    assert said[2].status == 127
    assert (said[3].status, said[3].stdout) == (0, b"")


# What the engines really print.
@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (
            1,
            "permission denied while trying to connect to the Docker daemon socket at "
            'unix:///var/run/docker.sock: Get "http://x/json": dial unix: permission denied',
            "you are not permitted to use docker",
        ),
        (
            1,
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "docker is not running on the host",
        ),
        (127, "igor: 3: docker: not found", "docker is not installed on the host"),
        (
            1,
            "Error response from daemon: failed to mkdir /x: no space left on device",
            "the host's disk is full",
        ),
        (
            1,
            "Error response from daemon: could not select device driver "
            '"" with capabilities: [[gpu]]',
            "can't give GPUs",
        ),
        (1, "Bind for 0.0.0.0:80 failed: port is already allocated", "a port .* is in use"),
        (1, "Error: something else\nError: really", "exit status 1: really"),
        (1, "", "no output"),
    ],
)
def test_what_an_engine_says_becomes_one_sentence(status: int, said: str, message: str) -> None:
    with pytest.raises(HostError, match=message) as error:
        raise engine_error(DOCKER, status, said)
    assert "\n" not in error.value.message


def test_a_container_whose_folders_are_gone_is_of_no_use() -> None:
    assert not plan_container(found(folders="1:2 3:4 5:6"), SPEC, DOCKER).usable
    assert plan_container(found(rootless=True), SPEC, DOCKER).usable
