"""Names of images and containers, and whose they are."""

import re

import pytest

from igor_core.container.names import Owner, label, valid_name

#: distribution's rule for a path component of a repository.
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("dino", "project", "dev"), "dino-project-dev"),
        (("Dino", "My Project", "dev"), "dino-my-project-dev"),
        (("dino", "a__b.c--d", "dev"), "dino-a__b.c--d-dev"),
        (("dino", "a..b", "dev"), "dino-a-b-dev"),
        (("dino", "a___b_-c", "dev"), "dino-a-b-c-dev"),
        (("dino", "-x-", "dev"), "dino-x-dev"),
        (("dino", "Füße", "dev"), "dino-fue-dev"),
        (("dino", "$(reboot); #", "dev"), "dino-reboot-dev"),
    ],
)
def test_names_are_made_valid(parts: tuple[str, ...], name: str) -> None:
    assert valid_name(*parts) == name


@pytest.mark.parametrize(
    "project", ["日本", "...", "\udcff", "a\nb", "x" * 500, "_", "a._b", "a__-b", "A" * 64]
)
def test_any_folder_name_gives_a_name_that_engines_take(project: str) -> None:
    name = valid_name("dino", project)
    assert REPOSITORY.fullmatch(name), name
    assert len(name) <= 128


def test_long_names_and_names_without_a_letter_stay_apart() -> None:
    assert valid_name("u", "x" * 500, "dev") != valid_name("u", "x" * 500, "cluster")
    assert valid_name("u", "日本") != valid_name("u", "中国")


def test_a_changed_name_is_told_and_an_unchanged_one_is_not() -> None:
    assert Owner("dino", "project", "dev").notice() == ""
    assert "'My Project'" in Owner("dino", "My Project", "dev").notice()
    assert "dino-my-project-dev" in Owner("dino", "My Project", "dev").notice()


def test_owners_whose_names_come_out_the_same_do_not_own_each_others() -> None:
    one, other = Owner("dino", "My Project", "dev"), Owner("dino", "my-project", "dev")
    assert one.container == other.container
    assert one.owns(one.container_labels)
    assert not other.owns(one.container_labels)
    assert not other.owns_image(one.image_labels)


def test_a_container_started_by_hand_from_the_image_is_not_igors() -> None:
    owner = Owner("dino", "project", "dev")
    assert not owner.owns(owner.image_labels)


def test_a_label_holds_any_folder_name_on_one_line() -> None:
    assert label("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert label("caf\udce9") == "caf\\xe9"
    assert label("日本") == "日本"
