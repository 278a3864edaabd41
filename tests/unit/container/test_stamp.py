"""The stamp of an image: what makes it old, and why."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from igor_core.container.image import plan_image
from igor_core.container.inspection import Image
from igor_core.container.names import Owner
from igor_core.container.stamp import Inputs, read_inputs
from igor_core.errors import HostError, UsageError

OWNER = Owner("dino", "project", "dev")


def inputs(root: Path, *rebuild: str, args: Mapping[str, str] | None = None) -> Inputs:
    files = (path for path in root.rglob("*") if path.is_file() or path.is_symlink())
    pushed = [bytes(path.relative_to(root)) for path in files]
    return read_inputs(root, "dockerfile", rebuild, args or {}, pushed)


def image(built_from: Inputs, owner: Owner = OWNER) -> Image:
    return Image("sha256:1", owner.image_labels | built_from.labels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dockerfile").write_text("FROM a\n")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    (tmp_path / "pkg" / "deep").mkdir(parents=True)
    (tmp_path / "pkg" / "deep" / "requirements.txt").write_text("torch\n")
    return tmp_path


def test_the_same_inputs_need_no_build_and_say_so(root: Path) -> None:
    before = inputs(root, "requirements.txt")
    plan = plan_image(image(before), inputs(root, "requirements.txt"), OWNER)
    assert plan.action == "keep"
    assert plan.text == f"image up to date ({before.stamp[:4]}…)"


def test_files_that_are_not_rebuild_files_do_not_count(root: Path) -> None:
    before = inputs(root, "requirements.txt")
    (root / "train.py").write_text("print()\n")
    assert inputs(root, "requirements.txt").stamp == before.stamp


def test_what_changed_is_named(root: Path) -> None:
    before = inputs(root, "**/requirements.txt", "*.lock", args={"A": "1", "B": "1"})
    (root / "requirements.txt").write_text("numpy==2\n")
    (root / "pkg" / "deep" / "requirements.txt").unlink()
    (root / "uv.lock").write_text("")
    (root / "dockerfile").write_text("FROM b\n")
    after = inputs(root, "**/requirements.txt", "*.lock", args={"A": "2", "C": "1"})
    assert plan_image(image(before), after, OWNER).text == (
        "rebuild: build argument A changed, build argument B removed, build argument C added, "
        "the dockerfile changed, pkg/deep/requirements.txt removed, requirements.txt changed, "
        "uv.lock added"
    )


def test_a_file_may_have_the_name_of_an_argument_or_of_the_dockerfile(root: Path) -> None:
    (root / "A").write_text("1")
    before = inputs(root, "A", "dockerfile", args={"A": "1"})
    (root / "A").write_text("2")
    assert before.differences({}) == ("its inputs changed",)
    assert inputs(root, "A", "dockerfile", args={"A": "1"}).differences(before.labels) == (
        "A changed",
    )


def test_patterns_do_not_cross_folders_and_folders_hold_all_that_is_in_them(root: Path) -> None:
    assert list(inputs(root, "*.txt").files) == ["requirements.txt"]
    assert list(inputs(root, "pkg/").files) == ["pkg/deep/requirements.txt"]
    assert list(inputs(root, "./requirements.txt").files) == ["requirements.txt"]


def test_a_name_with_the_characters_of_a_pattern_is_found_as_it_is(root: Path) -> None:
    (root / "a[1].txt").write_text("")
    assert list(inputs(root, "a[1].txt").files) == ["a[1].txt"]


def test_a_rebuild_file_that_no_pushed_file_matches_is_named(root: Path) -> None:
    assert inputs(root, "requirments.txt").missing == ("requirments.txt",)


def test_what_a_host_can_be_asked_for_are_the_regular_files(root: Path) -> None:
    (root / "env.yml").symlink_to("requirements.txt")
    found = inputs(root, "env.yml", "requirements.txt").contents
    assert found == {
        name: hashlib.sha256((root / name.decode()).read_bytes()).digest()
        for name in (b"dockerfile", b"requirements.txt")
    }


def test_a_symbolic_link_counts_by_where_it_points(root: Path) -> None:
    (root / "env.yml").symlink_to("nowhere")
    before = inputs(root, "env.yml")
    (root / "env.yml").unlink()
    (root / "env.yml").symlink_to("elsewhere")
    assert inputs(root, "env.yml").differences(before.labels) == ("env.yml changed",)


def test_thousands_of_rebuild_files_still_fit_into_a_label(root: Path) -> None:
    some = inputs(root)
    many = replace(some, files={f"file {number}": "0" * 64 for number in range(9000)})
    assert max(map(len, many.labels.values())) < 100_000
    more = replace(some, files={**many.files, "x": "1" * 64})
    assert more.differences(many.labels) == ("its inputs changed",)


@pytest.mark.parametrize("label", ["not json", "[]", '"x"', ""])
def test_a_damaged_label_only_costs_the_reason(root: Path, label: str) -> None:
    before = image(inputs(root))
    damaged = replace(
        before,
        labels={**before.labels, "igor.image.inputs": label, "igor.image.stamp": "0"},
    )
    assert plan_image(damaged, inputs(root), OWNER).action == "rebuild"


def test_an_absent_image_a_foreign_one_and_force_all_build(root: Path) -> None:
    now = inputs(root)
    assert plan_image(None, now, OWNER).text == "build: no image yet"
    assert "igor did not build" in plan_image(Image("1", {}), now, OWNER).text
    assert plan_image(image(now), now, OWNER, force=True).action == "rebuild"


def test_another_projects_image_of_the_same_name_is_left_alone(root: Path) -> None:
    now = inputs(root)
    theirs = image(now, Owner("dino", "Project", "dev"))
    for force in (False, True):
        with pytest.raises(HostError, match="belongs to the project 'Project' of 'dino'"):
            plan_image(theirs, now, OWNER, force=force)


def test_a_bad_pattern_is_one_sentence(root: Path) -> None:
    with pytest.raises(UsageError, match=r"docker_rebuild_files .*: '\[a' is not a valid"):
        inputs(root, "[a")
