"""The context that igor sends is the one that docker itself would make of the pushed files."""

import os
from pathlib import Path

import pytest

from igor_core.container.context import context_list
from igor_core.container.image import CONTEXT_FAILED, build_error
from igor_core.errors import UsageError
from igor_core.runtime import Runtime
from tests.lab import Host, Lab
from tests.support.containers import Sample

DOCKER = Runtime("docker")
DOCKERFILE = "FROM igor-base:latest\nCOPY . /x\n"
# Type, mode, owner, size of files only, path, target of links.
LIST = ["find", "/x", "-mindepth", "1"]
LIST += ["(", "-type", "f", "-printf", "%s ", "-o", "-true", ")", "-printf", r"%y%m %U:%G %p>%l\0"]

IGNORES = {
    "kinds": "*.log\n**/*.pyc\n# comment\n/data\n**/cache\nsrc/**/gen\n"
    "sp ace\n[a-b]?.txt\n\\*star\nodd\\[1\\]\n",
    "taken back": "docs\n!docs/keep.md\n*.md\n!README*\n",
    "all but": "*\n!src\n!dockerfile\n!.dockerignore\nsrc/gen\n",
}


def odd_tree(sample: Sample) -> None:
    """Files whose names and kinds are hard to carry."""
    for name in (
        *["a.log", "src/a.log", "src/x.pyc", "data/big", "README.md", "docs/keep.md", "docs/a.md"],
        *["src/gen/out", "src/deep/gen/out", "cache/x", "src/cache/y", "a.tmp", "src/b.tmp"],
        *["sp ace", "ab.txt", "*star", "odd[1]", "-rf", "--to-command=x", "src/-T", "line\nbreak"],
        *["quote'\"$(id)`", "src/main.py", "back\\slash", "deep/" * 40 + "end", "n" * 200],
    ):
        sample.write(name, f"content of {name}\n")
    root = os.fsencode(sample.project.root)
    (Path(os.fsdecode(root)) / "src/main.py").chmod(0o755)
    with open(root + b"/latin-\xe9", "w") as file:
        file.write("not UTF-8\n")
    os.symlink(b"src/main.py", root + b"/link")
    os.symlink(b"/nowhere/\xe9", root + b"/dangling")
    os.symlink(b"src", root + b"/folder-link")


@pytest.fixture
def sample(lab: Lab, tmp_path: Path) -> Sample:
    sample = Sample(tmp_path, lab["apollo"], DOCKER)
    sample.write("dockerfile", DOCKERFILE)
    return sample


def in_image(sample: Sample, image: str) -> list[str]:
    said = sample.engine("run", "--rm", "--network=none", image, *LIST)
    return sorted(said.split("\0"))


@pytest.mark.parametrize("builder", ["DOCKER_BUILDKIT=0", "DOCKER_BUILDKIT=1"])
@pytest.mark.parametrize("ignore", IGNORES.values(), ids=IGNORES)
async def test_the_same_files_reach_the_image_as_from_dockers_own_client(
    sample: Sample, ignore: str, builder: str
) -> None:
    odd_tree(sample)
    sample.write(".dockerignore", ignore)
    sample.push()
    by_docker = 'cd "$1" && docker build -q -t by-docker -f dockerfile .'
    sample.host.run(["env", builder, "sh", "-c", by_docker, "sh", sample.paths.tree], check=True)
    command = sample.build_command()
    built = await sample.shell.run(["env", builder, *command.argv], input=command.input)
    assert built.status == 0, built.stderr
    assert in_image(sample, "lab-sample") == in_image(sample, "by-docker")


async def test_the_same_files_reach_the_image_as_from_podmans_own_client(
    podman_host: Host, tmp_path: Path
) -> None:
    sample = Sample(tmp_path, podman_host, Runtime("podman"))
    sample.write("dockerfile", DOCKERFILE)
    odd_tree(sample)
    sample.write(".dockerignore", IGNORES["kinds"])
    sample.push()
    directly = ["podman", "build", "-q", "-t", "by-podman", "-f", "dockerfile"]
    sample.host.run(["env", "-C", sample.paths.tree, *directly, "."], check=True, timeout=120)
    built = await sample.build()
    assert built.status == 0, built.stderr
    assert in_image(sample, "lab-sample") == in_image(sample, "by-podman")


async def test_outputs_on_the_host_stay_out_of_the_image(sample: Sample) -> None:
    sample.push()
    sample.host.run(["sh", "-c", 'echo x >"$1/checkpoint.bin"', "sh", sample.paths.tree])
    assert (await sample.build()).status == 0
    assert [line for line in in_image(sample, "lab-sample") if "checkpoint" in line] == []


async def test_the_dockerfile_can_be_ignored_and_still_builds(sample: Sample) -> None:
    sample.write(".dockerignore", "*\n")
    sample.push()
    assert (await sample.build()).status == 0
    assert in_image(sample, "lab-sample") == [""]


async def test_a_file_that_is_gone_on_the_host_leaves_the_old_image(sample: Sample) -> None:
    sample.push()
    assert (await sample.build()).status == 0
    before = await sample.inspect()
    sample.write("gone.py", "never pushed\n")
    done = await sample.build()
    assert done.status == CONTEXT_FAILED
    error = build_error(DOCKER, done.status, done.stderr.decode())
    assert "can't read a pushed file" in error.message
    after = await sample.inspect()
    assert after.image == before.image
    assert "igor-" not in sample.engine("images", "lab-sample", "--format", "{{.Tag}}")


async def test_a_build_that_fails_says_which_line_and_leaves_the_old_image(sample: Sample) -> None:
    sample.push()
    assert (await sample.build()).status == 0
    before = await sample.inspect()
    sample.write("dockerfile", DOCKERFILE + "RUN echo on it; exit 3\n")
    sample.push()
    done = await sample.build()
    assert done.status not in (0, CONTEXT_FAILED)
    error = build_error(DOCKER, done.status, (done.stdout + done.stderr).decode())
    assert "exit 3" in error.message
    assert (await sample.inspect()).image == before.image


async def test_the_ignore_file_of_the_dockerfile_goes_before_the_common_one(
    sample: Sample,
) -> None:
    sample.write("a", "")
    sample.write("b", "")
    sample.write(".dockerignore", "a\n")
    sample.write("dockerfile.dockerignore", "b\n")
    listed = context_list(sample.project.root, "dockerfile", sample.pushed).split(b"\0")
    assert b"./a" in listed
    assert b"./b" not in listed


async def test_the_dockerfile_may_be_in_a_folder_and_named_with_a_dot(sample: Sample) -> None:
    sample.configure(dockerfile="./docker/dev")
    sample.write("docker/dev", DOCKERFILE)
    sample.write(".dockerignore", "docker\n")
    sample.push()
    done = await sample.build()
    assert done.status == 0, done.stderr


async def test_build_arguments_reach_the_build_whatever_they_hold(sample: Sample) -> None:
    value = "a b'\"$(touch /pwned);\n*"
    sample.configure(docker_build_args={"VALUE": value})
    sample.write("dockerfile", 'FROM igor-base:latest\nARG VALUE\nRUN printf %s "$VALUE" >/x\n')
    sample.push()
    assert (await sample.build()).status == 0
    assert sample.engine("run", "--rm", "lab-sample", "cat", "/x") == value


async def test_the_image_carries_the_labels_by_which_it_is_found_up_to_date(
    sample: Sample,
) -> None:
    sample.push()
    await sample.build()
    image = (await sample.inspect()).image
    assert image is not None
    assert sample.spec.owner.owns_image(image.labels)
    assert sample.inputs.differences(image.labels) == ()
    assert image.tags == ("lab-sample:latest",)


def test_a_dockerfile_that_is_not_pushed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="igor does not push dockerfile"):
        context_list(tmp_path, "dockerfile", [b"a.py"])


def test_a_bad_ignore_file_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("ok\n[\n")
    with pytest.raises(UsageError, match=r"\.dockerignore, line 2: '\[' is not a valid pattern"):
        context_list(tmp_path, "dockerfile", [b"dockerfile", b".dockerignore"])
