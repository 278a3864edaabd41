"""Containers on real hosts: made, kept, started, replaced and removed."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from igor_core.container.container import bring_up, clean
from igor_core.container.hidden import hidden_by_mount, not_in_tree
from igor_core.container.inspection import Inspection
from igor_core.container.plan import ContainerPlan, plan_container
from igor_core.container.run_folder import run_files, write
from igor_core.errors import HostError, UsageError
from igor_core.runtime import Runtime
from tests.lab import Host, Lab
from tests.support.containers import Sample

DOCKERFILE = "FROM igor-base:latest\n"


@pytest.fixture
def sample(engine_host: tuple[Host, Runtime], tmp_path: Path) -> Sample:
    host, runtime = engine_host
    sample = Sample(tmp_path, host, runtime, docker_run_args=("--network=host",))
    sample.write("dockerfile", DOCKERFILE)
    sample.write("main.py", "print('hello')\n")
    sample.push()
    names = host.run([runtime.word, "ps", "-aq"]).stdout.split()
    if names:
        host.run([runtime.word, "rm", "-f", *names])
    return sample


async def plan(sample: Sample) -> tuple[Inspection, ContainerPlan]:
    found = await sample.inspect()
    return found, plan_container(found, sample.spec, sample.runtime)


async def set_up(sample: Sample) -> ContainerPlan:
    """What `setup` does after its push; returns the plan that it followed."""
    found = await sample.inspect()
    if found.image is None or sample.inputs.differences(found.image.labels):
        built = await sample.build()
        assert built.status == 0, built.stderr
        found = await sample.inspect()
    what = plan_container(found, sample.spec, sample.runtime)
    await bring_up(sample.shell, sample.runtime, sample.spec, found, what)
    return what


async def execute(sample: Sample, *argv: str) -> str:
    command = sample.environment().command(argv)
    done = await sample.shell.run(command.argv)
    assert done.status == 0, done.stderr
    return done.stdout.decode().partition("\n")[2]


async def test_a_container_is_made_once_and_then_kept_without_a_further_command(
    sample: Sample,
) -> None:
    assert (await set_up(sample)).action == "create"
    first = (await sample.inspect()).container
    found, what = await plan(sample)
    sample.shell.calls = 0
    await bring_up(sample.shell, sample.runtime, sample.spec, found, what)
    assert (what.action, sample.shell.calls) == ("keep", 0)
    assert found.container == first
    assert found.processes == ()


async def test_files_made_in_the_container_belong_to_the_login_user_and_home_is_writable(
    sample: Sample,
) -> None:
    # The image's own user must not win.
    sample.write("dockerfile", DOCKERFILE + "RUN useradd -u 777 app\nUSER app\n")
    sample.push()
    await set_up(sample)
    said = await execute(
        sample, "python3", "-c",
        "import getpass, os; open('made', 'w'); open(os.path.expanduser('~/made'), 'w');"
        "print(getpass.getuser(), os.getcwd(), os.path.expanduser('~'))",
    )  # fmt: skip
    assert said == f"{sample.host.user} /workspace /home/igor\n"
    owners = sample.host.run(
        ["stat", "-c", "%u:%g", f"{sample.paths.tree}/made", f"{sample.paths.private}/home/made"]
    )
    assert owners.stdout.split() == [f"{sample.host.uid}:{sample.host.uid}"] * 2
    mode = sample.host.run(["stat", "-c", "%a", sample.paths.private]).stdout.strip()
    assert mode == "700"


@pytest.mark.parametrize("run_as", ["user", "image"])
async def test_igors_own_files_can_be_read_in_the_container_and_not_written(
    sample: Sample, run_as: str
) -> None:
    sample.write("dockerfile", DOCKERFILE + "RUN useradd -u 777 app\nUSER app\n")
    sample.configure(run_as=run_as)
    sample.push()
    files = run_files({"debug_helper.py": b"print('here')\n"})
    await write(sample.shell, sample.paths.run, files, files)
    await set_up(sample)
    helper = ("sh", "/run/igor/python.sh", "sample", "/run/igor/debug_helper.py")
    assert await execute(sample, *helper) == "here\n"
    tried = await execute(
        sample, "sh", "-c", "touch /run/igor/x 2>&1; touch /run/igor/python.sh 2>&1; :"
    )
    assert "/run/igor/x': Read-only file system" in tried
    assert tried.count("cannot touch") == 2
    # The folder is mounted, not the files: a container sees new ones.
    files["debug_helper.py"] = b"print('renewed')\n"
    await write(sample.shell, sample.paths.run, files, ["debug_helper.py"])
    assert await execute(sample, *helper) == "renewed\n"


async def test_run_as_image_leaves_user_and_home_to_the_image(sample: Sample) -> None:
    sample.configure(run_as="image")
    await set_up(sample)
    assert await execute(sample, "sh", "-c", "id -u; echo $HOME") == "0\n/root\n"


async def test_a_stopped_container_is_started_again(sample: Sample) -> None:
    await set_up(sample)
    before = (await sample.inspect()).container
    sample.engine("stop", "-t", "1", sample.spec.owner.container)
    assert (await set_up(sample)).action == "start"
    after = (await sample.inspect()).container
    assert before is not None
    assert after is not None
    assert (after.id, after.status) == (before.id, "running")


MOVES = {
    "the tree was moved": 'mv "$1" "$1.moved" && cp -a "$1.moved" "$1"',
    "the tree was removed": 'cp -a "$1" "$1.kept" && rm -rf "$1" && mv "$1.kept" "$1"',
    "all trees were moved": 'cd "${1%/*}/.." && mv "${1%/*}" moved && cp -a moved "${1%/*}"',
    "igor's folder was removed": 'rm -rf "${1%/*}/.igor-host"',
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
async def test_a_container_whose_folders_are_others_by_now_is_replaced(
    sample: Sample, move: str
) -> None:
    await set_up(sample)
    done = await sample.shell.run(["sh", "-c", move, "sh", sample.spec.tree])
    assert done.status == 0, done.stderr
    _, what = await plan(sample)
    assert (what.action, what.usable) == ("replace", False)
    assert "was moved or removed since" in what.reason
    sample.push()
    await set_up(sample)
    assert await execute(sample, "python3", "main.py") == "hello\n"
    assert (await set_up(sample)).action == "keep"


async def test_new_options_or_a_new_image_replace_it_and_say_why(sample: Sample) -> None:
    await set_up(sample)
    sample.configure(docker_run_args=("--network=host", "--env", "A=b c"))
    what = await set_up(sample)
    assert (what.action, what.reason, what.usable) == ("replace", "its options changed", True)
    assert await execute(sample, "printenv", "A") == "b c\n"
    sample.write("dockerfile", DOCKERFILE + f"ENV B={sample.runtime.word}\n")
    sample.push()
    what = await set_up(sample)
    assert (what.action, what.reason) == ("replace", "the image changed")
    assert await execute(sample, "printenv", "B") == f"{sample.runtime.word}\n"


async def test_what_runs_in_a_container_is_named_before_it_is_replaced(sample: Sample) -> None:
    await set_up(sample)
    name = sample.spec.owner.container
    sample.engine("exec", "-d", name, "sleep", "4242")
    sample.configure(docker_run_args=("--network=host", "--env", "A=1"))
    _, what = await plan(sample)
    assert what.in_use
    assert what.processes == ("sleep 4242",)


async def test_run_arguments_that_the_engine_refuses_leave_no_half_container(
    sample: Sample,
) -> None:
    await set_up(sample)
    sample.configure(docker_run_args=("--network=host", "--volume=/proc/version/x:/y"))
    with pytest.raises(HostError):
        await set_up(sample)
    assert (await sample.inspect()).container is None


async def test_an_image_without_a_shell_is_one_sentence_and_leaves_nothing(
    sample: Sample,
) -> None:
    sample.write("dockerfile", DOCKERFILE + "RUN rm /bin/sh /usr/bin/sh || true\n")
    sample.push()
    with pytest.raises(HostError, match="the image has no sh"):
        await set_up(sample)
    assert (await sample.inspect()).container is None


async def test_a_container_of_that_name_that_igor_did_not_make_is_left_alone(
    sample: Sample,
) -> None:
    await sample.build()
    # Made from igor's own image, so it has the image's labels.
    sample.engine("create", "--name", sample.spec.owner.container, "lab-sample", "sh")
    with pytest.raises(HostError, match="igor did not create"):
        await plan(sample)
    assert (await clean(sample.shell, sample.runtime, sample.spec.owner)).containers == ()
    assert sample.spec.owner.container in sample.engine("ps", "-a", "--format", "{{.Names}}")


async def test_clean_removes_what_is_the_owners_and_nothing_else(sample: Sample) -> None:
    await set_up(sample)
    other = Sample(
        sample.project.root, sample.host, sample.runtime, user="Lab",
        docker_run_args=("--network=host",),
    )  # fmt: skip
    labels = [f"--label={key}={text}" for key, text in other.spec.owner.container_labels.items()]
    sample.engine("create", "--name", "theirs", *labels, "lab-sample", "sh")
    sample.engine("create", "--name", "by-hand", "lab-sample", "sh")
    cleaned = await clean(sample.shell, sample.runtime, sample.spec.owner, images=True)
    assert cleaned.containers == ("lab-sample-dev",)
    assert [name.removeprefix("localhost/") for name, _ in cleaned.kept] == ["lab-sample:latest"]
    assert set(sample.engine("ps", "-a", "--format", "{{.Names}}").split()) == {"theirs", "by-hand"}
    sample.engine("rm", "-f", "theirs", "by-hand")
    cleaned = await clean(sample.shell, sample.runtime, sample.spec.owner, images=True)
    assert [name.removeprefix("localhost/") for name in cleaned.images][:1] == ["lab-sample:latest"]
    assert (await sample.inspect()).image is None
    assert "igor-base" in sample.engine("images")


async def test_nothing_is_published_and_the_labels_are_there(sample: Sample) -> None:
    sample.configure(docker_run_args=())
    await sample.build()
    found = await sample.inspect()
    assert found.image is not None
    options = sample.spec.options(sample.runtime, found.rootless, found.image.id)
    sample.host.run(["mkdir", "-p", sample.spec.home, sample.spec.run], check=True)
    sample.host.run(["touch", options.label_file], check=True)
    container = sample.engine(*sample.runtime.create(options)[1:]).strip()
    state = json.loads(sample.engine("container", "inspect", container))[0]
    assert not state["HostConfig"]["PortBindings"]
    assert sample.spec.owner.owns(state["Config"]["Labels"])
    assert state["HostConfig"]["Init"] is True


async def test_files_that_the_mount_hides_are_found(sample: Sample) -> None:
    sample.write(
        "dockerfile",
        DOCKERFILE + "COPY . /workspace\nRUN cd /workspace && mkdir -p .venv/bin src/x.egg-info "
        "&& touch .venv/bin/python src/x.egg-info/PKG __init__.so\n",
    )
    sample.write("src/a.py", "")
    sample.push()
    await sample.build()
    found = await sample.inspect()
    assert found.image is not None
    hidden = await hidden_by_mount(
        sample.shell, sample.runtime, found.image.id, "/workspace", sample.pushed
    )
    assert hidden == (".venv", "__init__.so", "src/x.egg-info")


async def test_a_missing_tree_says_to_push(sample: Sample) -> None:
    await sample.build()
    sample.host.run(["rm", "-rf", sample.paths.tree])
    found, what = await plan(sample)
    with pytest.raises(HostError, match="no such folder") as error:
        await bring_up(sample.shell, sample.runtime, sample.spec, found, what)
    assert "igor push" in error.value.hint


async def test_names_and_values_are_never_shell_code(sample: Sample) -> None:
    evil = "$(touch pwned)`touch pwned`; touch pwned '\""
    hostile = Sample(
        sample.project.root, sample.host, sample.runtime, project=evil, user=evil,
        docker_run_args=("--network=host", "--env", f"E={evil}"), docker_build_args={"B": evil},
    )  # fmt: skip
    hostile.push()
    assert (await set_up(hostile)).action == "create"
    assert await execute(hostile, "printenv", "E") == evil + "\n"
    await clean(hostile.shell, hostile.runtime, hostile.spec.owner, images=True)
    assert sample.host.run(["find", "/", "-xdev", "-name", "pwned"]).stdout == ""


def test_options_that_are_igors_own_are_refused(sample: Sample) -> None:
    sample.configure(docker_run_args=("--gpus", "all", "--name=mine"))
    with pytest.raises(UsageError, match=r"docker_run_args\[2\]: only igor may set --name"):
        _ = sample.spec


def test_only_the_topmost_hidden_paths_are_named() -> None:
    listing = b"./a.py\0./.venv\0./.venv/bin\0./src\0./src/gen\0./src/__pycache__\0"
    assert not_in_tree(listing, [b"a.py", b"src/x.py"]) == (".venv", "src/gen")
    assert not_in_tree(b"", [b"a"]) == ()


async def test_an_engine_that_is_down_or_absent_is_one_sentence(lab: Lab, tmp_path: Path) -> None:
    host = lab["enterprise"]
    down = Sample(tmp_path, host, Runtime("docker"))
    await asyncio.to_thread(host.stop_docker)
    with pytest.raises(HostError, match="docker is not running on the host"):
        await down.inspect()
    plain = Sample(tmp_path, host, Runtime("nosuch"))  # type: ignore[arg-type]
    with pytest.raises(HostError, match="nosuch is not installed on the host"):
        await plain.inspect()


NEIGHBOUR = 40405


@pytest.fixture
def shared_base(sample: Sample) -> Iterator[Path]:
    """The folder of all trees, which others may write."""
    base = sample.host.path(str(Path(sample.spec.tree).parent))
    base.chmod(0o777)
    yield base
    shutil.rmtree(base)


async def test_a_container_is_made_in_a_folder_that_others_may_write(
    sample: Sample, shared_base: Path
) -> None:
    assert (await set_up(sample)).action == "create"
    assert (shared_base / ".igor-host").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", [".igor-host", ".igor-host/run", ".igor-host/home", "{project}"])
@pytest.mark.parametrize("kind", ["a link", "their folder"])
async def test_a_container_does_not_see_what_a_neighbour_put_there(
    sample: Sample, shared_base: Path, path: str, kind: str
) -> None:
    base = shared_base
    path = path.format(project=Path(sample.spec.tree).name)
    found = await sample.inspect()
    if found.image is None:
        assert (await sample.build()).status == 0
        found = await sample.inspect()
    private = base / ".igor-host"
    if path.startswith(".igor-host/"):
        private.mkdir(mode=0o700)
        os.chown(private, sample.spec.uid, sample.spec.gid)
    if path == Path(sample.spec.tree).name:
        (base / path).rename(base / "tree")
    if kind == "a link":
        (base / path).symlink_to("/tmp")
    else:
        (base / path).mkdir()
    os.chown(base / path, NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    with pytest.raises(HostError, match="is a link, or belongs to another user"):
        await bring_up(
            sample.shell, sample.runtime, sample.spec, found,
            plan_container(found, sample.spec, sample.runtime),
        )  # fmt: skip
    assert (await sample.inspect()).container is None


@dataclass(frozen=True)
class Swapping(Runtime):
    """An engine that starts a container while a neighbour replaces a folder, and puts it back."""

    folder: str = ""

    def start(self, container: str) -> list[str]:
        script = 'mv "$1" "$1.own" && mkdir "$1" && "$2" start "$3"; s=$?; '
        script += 'mv "$1" "$1.theirs"; mv "$1.own" "$1"; exit $s'
        return ["sh", "-c", script, "sh", self.folder, self.word, container]


@pytest.mark.parametrize("path", ["run", "home", "tree"])
@pytest.mark.usefixtures("shared_base")
async def test_what_is_replaced_while_a_container_starts_ends_it(sample: Sample, path: str) -> None:
    assert (await set_up(sample)).action == "create"
    await sample.shell.run([sample.runtime.word, "stop", "-t0", sample.spec.owner.container])
    folder = sample.spec.tree if path == "tree" else getattr(sample.spec, path)
    swapping = Swapping(sample.runtime.word, folder)
    found, what = await plan(sample)
    assert what.action == "start"
    with pytest.raises(HostError, match="a folder in it was replaced while the container"):
        await bring_up(sample.shell, swapping, sample.spec, found, what)
    assert (await sample.inspect()).container is None
    found, what = await plan(sample)
    with pytest.raises(HostError, match="a folder in it was replaced while the container"):
        await bring_up(sample.shell, swapping, sample.spec, found, what)
    assert (await sample.inspect()).container is None
