"""Docker and podman as argument lists."""

import csv

import pytest

from igor_core.runtime import BuildOptions, CreateOptions, Runtime

DOCKER, PODMAN = Runtime("docker"), Runtime("podman")


def options(**changes: object) -> CreateOptions:
    values: dict[str, object] = {
        "name": "dino-project-dev",
        "image": "dino-project",
        "labels": {"a": "b"},
        "mounts": {"/workspace": "/data/project"},
        "env": {"HOME": "/home/igor"},
        "workdir": "/workspace",
        "label_file": "/data/.igor-host/labels",
    }
    return CreateOptions(**(values | changes))  # type: ignore[arg-type]


def test_a_container_keeps_running_with_an_init_and_never_comes_from_a_registry() -> None:
    words = DOCKER.create(options())
    assert words[:4] == ["docker", "create", "--pull=never", "--init"]
    assert words[-5:-3] == ["--entrypoint", "sh"]
    assert words[-3:] == ["dino-project", "-c", "exec sleep 2147483647"]


def test_the_users_run_arguments_come_after_igors_and_before_the_image() -> None:
    words = DOCKER.create(options(extra=("--env", "HOME=/root", "--gpus", "all")))
    assert words[-7:-3] == ["--env", "HOME=/root", "--gpus", "all"]
    assert words.index("HOME=/home/igor") < words.index("HOME=/root")


def test_no_port_is_published_unless_the_users_arguments_ask() -> None:
    assert not {"-p", "--publish", "-P", "--publish-all"} & set(DOCKER.create(options()))


@pytest.mark.parametrize("folder", ["/a,b", '/a"b', "/a,target=/etc", "/a\nb", "/a b"])
def test_a_folder_with_any_name_is_one_field_of_the_mount(folder: str) -> None:
    words = DOCKER.create(options(mounts={"/workspace": folder}))
    mount = words[words.index("--mount") + 1]
    assert next(csv.reader([mount], strict=True)) == [
        "type=bind",
        f"source={folder}",
        "target=/workspace",
    ]


def test_a_folder_that_is_not_to_be_written_to_is_mounted_so() -> None:
    words = PODMAN.create(options(mounts={}, read_only={"/run/igor": "/data/.igor-host/run"}))
    mount = words[words.index("--mount") + 1]
    assert mount == "type=bind,source=/data/.igor-host/run,target=/run/igor,readonly"


def test_user_and_namespace_are_left_out_where_the_image_decides() -> None:
    assert not {"--user", "--userns"} & set(DOCKER.create(options()))
    words = PODMAN.create(options(user="1:2", userns="keep-id"))
    assert words[words.index("--user") + 1] == "1:2"
    assert words[words.index("--userns") + 1] == "keep-id"


def test_an_exec_has_a_terminal_only_when_asked_and_then_ctrl_p_is_the_programs() -> None:
    assert DOCKER.exec("c", ["ls", "-l"]) == ["docker", "exec", "--interactive", "c", "ls", "-l"]
    words = PODMAN.exec("c", ["ipython"], tty=True, env={"TERM": "xterm"}, workdir="/w")
    assert words[:4] == ["podman", "exec", "--interactive", "--tty"]
    assert "ctrl-p" not in words[words.index("--detach-keys") + 1]
    assert words[-6:] == ["--env", "TERM=xterm", "--workdir", "/w", "c", "ipython"]


def test_a_build_reads_its_context_from_standard_input() -> None:
    build = BuildOptions("docker/dev", "n:tag", {"l": "1"}, {"A": "x y"}, no_cache=True)
    assert DOCKER.build(build)[4:] == [
        *["docker", "build", "--file", "docker/dev", "--tag", "n:tag", "--label", "l=1"],
        *["--build-arg", "A", "--no-cache", "-"],
    ]


@pytest.mark.parametrize(
    ("runtime", "info", "rootless"),
    [
        (DOCKER, b'["name=seccomp,profile=default","name=rootless"]\n', True),
        (DOCKER, b'["name=seccomp,profile=default"]\n', False),
        (PODMAN, b"true\n", True),
        (PODMAN, b"false\n", False),
    ],
)
def test_the_engine_says_whether_it_is_rootless(
    runtime: Runtime, info: bytes, rootless: bool
) -> None:
    assert runtime.is_rootless(info) is rootless
