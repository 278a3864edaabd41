import json
import resource
from pathlib import Path

import pytest

from igor_core.config import ConfigError, find_project
from igor_core.config.init import Discovered, discover, questions, render, write
from igor_core.config.ssh_hosts import literal_hosts
from igor_core.errors import UsageError


def test_dockerfiles_and_rebuild_files_are_found_the_likeliest_first(tmp_path: Path) -> None:
    for name in (
        "Dockerfile",
        "Dockerfile.gpu",
        "Dockerfile.dockerignore",
        "dev.dockerfile",
        "requirements.txt",
        "requirements-dev.txt",
        "requirements,odd.txt",
        "uv.lock",
        "pyproject.toml",
        "main.py",
    ):
        (tmp_path / name).touch()
    (tmp_path / "environment.yml").mkdir()
    found = discover(tmp_path, tmp_path / "no_ssh_config")
    assert found.dockerfiles == ("Dockerfile", "dev.dockerfile", "Dockerfile.gpu")
    assert found.rebuild_files == (
        "requirements-dev.txt",
        "requirements.txt",
        "pyproject.toml",
        "uv.lock",
    )
    assert found.hosts == ()


def test_literal_hosts_come_from_the_ssh_config_and_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "b").write_text("Host enterprise\n  User dino\nInclude config\n")
    (tmp_path / "config").write_text(
        "# Host no\n"
        "Host apollo *.lab !bad web? -oProxyCommand=x\n"
        "  HostName 10.0.0.1\n"
        "Include conf.d/* /nowhere/*\n"
        "host=gemini  # as ssh allows\n"
        'Host "soyuz" apollo\n'
        "Match host voyager\n"
        "Host github.com\n"
        "  User git\n"
        'Host "never closed\n'
    )
    assert literal_hosts(tmp_path / "config") == ["apollo", "enterprise", "gemini", "soyuz"]


def test_the_defaults_of_the_questions_make_a_config_that_loads(tmp_path: Path) -> None:
    found = Discovered(("Dockerfile",), ("requirements.txt", "uv.lock"), ("apollo", "gemini"))
    answers = {question.key: question.default for question in questions(found)}
    assert all(question.check(question.default) is None for question in questions(found))
    write(tmp_path, render(answers))
    config = find_project(tmp_path).config
    assert [(host.host, host.dir) for host in config.hosts()] == [("apollo", "~/igor")]
    assert config.dockerfile == "Dockerfile"
    assert config.docker_rebuild_files == ("requirements.txt", "uv.lock")
    assert config.runtime == "docker"


def test_only_useful_keys_are_written() -> None:
    text = render({"host": "apollo", "dir": "/data", "runtime": "docker", "repl_cmd": ""})
    assert json.loads(text) == {
        "host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}
    }
    assert text.startswith('{\n    "host_groups"')


def test_several_hosts_and_numbers_are_taken_from_answers() -> None:
    config = json.loads(render({"host": "a, b,a", "dir": "/d", "debug_port": "5556"}))
    assert [host["host"] for host in config["host_groups"]["dev"]["hosts"]] == ["a", "b"]
    assert config["debug_port"] == 5556


def test_without_a_dockerfile_no_containers_are_proposed() -> None:
    asked = {question.key: question.default for question in questions(Discovered((), (), ()))}
    assert asked["runtime"] == "none"
    assert "dockerfile" not in asked


@pytest.mark.parametrize(
    ("key", "answer", "sentence"),
    [
        ("host", "", "must not be empty"),
        ("host", "-oProxyCommand=x", "must not start with '-'; found '-oProxyCommand=x'"),
        ("dir", "here", "must be an absolute path or start with '~/'; found 'here'"),
        ("dir", "", "must not be empty; found ''"),
        (
            "runtime",
            "dcoker",
            "expected 'docker' or 'podman' or 'none', found 'dcoker'; did you mean 'docker'?",
        ),
        ("dockerfile", "../Dockerfile", "must not contain '..'; found '../Dockerfile'"),
        (
            "docker_rebuild_files",
            "a.txt, /etc",
            "must be a path in the project, from its root; found '/etc'",
        ),
        ("repl_cmd", "", None),
    ],
)
def test_an_answer_is_checked_by_the_configs_own_rules(
    key: str, answer: str, sentence: str | None
) -> None:
    asked = {question.key: question for question in questions(Discovered(("Dockerfile",), (), ()))}
    assert asked[key].check(answer) == sentence


def test_answers_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="is not UTF-8"):
        render({"host": "caf\udce9", "dir": "/d"})


def test_an_existing_config_is_never_touched(tmp_path: Path) -> None:
    file = write(tmp_path, "first")
    with pytest.raises(UsageError, match="exists already"):
        write(tmp_path, "second")
    assert file.read_text() == "first"
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="exists already"):
        write(tmp_path, "second")
    assert not (tmp_path / "elsewhere").exists()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(UsageError, match="can't be written: File too large"):
            write(tmp_path, "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / ".igor").write_text("mine")
    with pytest.raises(UsageError, match="is a link or a file"):
        write(tmp_path, "x")
    assert (tmp_path / ".igor").read_text() == "mine"
