import json
import os
import pwd
from pathlib import Path

import pytest

from igor_core.config import Config, ConfigError, DebugProgram, HostGroup, load
from igor_core.errors import UsageError
from tests.support.config_examples import CLUSTER, EVERYTHING, SIMPLE

HOSTS = '"host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}'


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "config.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_the_first_authors_simple_config_loads(tmp_path: Path) -> None:
    config = load(write(tmp_path, SIMPLE))
    assert config.user == "dino"
    assert config.debug_port == 5556
    assert config.docker_rebuild_files == ("requirements.txt",)
    assert config.dockerfile == "dockerfile"
    assert config.repl_cmd == "ipython"
    assert [(h.host, h.dir, h.tag) for h in config.hosts()] == [
        ("apollo", "/home/dino/data2/dev_dsk", None)
    ]


def test_the_first_authors_cluster_config_loads(tmp_path: Path) -> None:
    config = load(write(tmp_path, CLUSTER))
    assert [(h.host, h.tag) for h in config.hosts("cluster")] == [
        ("apollo", "manager"),
        ("enterprise", "worker"),
    ]


def test_every_key_arrives_as_written(tmp_path: Path) -> None:
    config = load(write(tmp_path, json.dumps(EVERYTHING)))
    for key in ("project", "dockerfile", "docker_build_args", "runtime", "run_as", "workspace"):
        assert getattr(config, key) == EVERYTHING[key]
    assert config.docker_run_args == tuple(EVERYTHING["docker_run_args"])
    assert (config.include, config.exclude) == (("weights/*.bin",), ("*.mp4", "!keep.mp4"))
    (host,) = config.hosts()
    assert host.dir == "~/a 'quoted' \"dir\"; $(touch x) `y`"
    assert (host.user, host.port, host.env["EMPTY"]) == ("dino@realm", 2222, "")
    assert config.group("gpu-4.big").name == "gpu-4.big"


def test_the_table_debug_arrives_as_written(tmp_path: Path) -> None:
    debug = load(write(tmp_path, json.dumps(EVERYTHING))).debug
    assert (debug.python, debug.subprocess, debug.just_my_code, debug.grace, debug.detach) == (
        "/venv/lander/bin/python", True, True, 0.5, True,
    )  # fmt: skip
    assert dict(debug.programs) == {
        "train": DebugProgram(
            "train", "src/train 'em.py", None, ("--name", "", "$HOME a"), "/data", {"N": "3"},
            "python3.12",
        ),
        "serve.2": DebugProgram("serve.2", module="lander.serve", cwd="src"),
    }  # fmt: skip


def test_a_program_is_not_debugged_with_children_or_left_alive_unless_asked(tmp_path: Path) -> None:
    debug = load(write(tmp_path, "{" + HOSTS + "}")).debug
    assert (debug.subprocess, debug.just_my_code, debug.grace, debug.detach, debug.programs) == (
        False, False, 30, False, {},
    )  # fmt: skip


def test_what_is_left_out_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "kate")
    config = load(write(tmp_path, "{" + HOSTS + "}"))
    assert config.user == "kate"
    assert (config.runtime, config.run_as, config.workspace) == ("docker", "user", "/workspace")
    assert (config.project, config.dockerfile, config.repl_cmd) == (None, None, None)
    assert config.docker_rebuild_files == config.docker_run_args == ()
    assert config.docker_build_args == {}


def test_a_user_without_a_name_is_called_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 3999999)  # no such user, as in some containers
    with pytest.raises(KeyError):
        pwd.getpwuid(3999999)
    assert load(write(tmp_path, "{" + HOSTS + "}")).user == "3999999"


def test_hosts_are_chosen_by_name_in_the_files_order(tmp_path: Path) -> None:
    config = load(write(tmp_path, CLUSTER))
    assert [h.host for h in config.hosts("cluster", ["enterprise", "apollo"])] == [
        "apollo",
        "enterprise",
    ]
    assert [h.host for h in config.hosts("cluster", ["enterprise"])] == ["enterprise"]


@pytest.mark.parametrize(
    ("group", "names", "message", "hint"),
    [
        (None, [], "the config has no host group 'dev', the default", "name one with -g: cluster"),
        (
            "clutser",
            [],
            "no host group 'clutser' in the config; did you mean 'cluster'?",
            "its groups: cluster",
        ),
        ("x\x1b[2J", [], "no host group 'x\\x1b[2J' in the config", "its groups: cluster"),
        (
            "cluster",
            ["apolo"],
            "no host 'apolo' in the group 'cluster'; did you mean 'apollo'?",
            "its hosts: apollo, enterprise",
        ),
    ],
)
def test_an_unknown_group_or_host_is_answered_with_the_known_ones(
    tmp_path: Path, group: str | None, names: list[str], message: str, hint: str
) -> None:
    config = load(write(tmp_path, CLUSTER))
    with pytest.raises(UsageError) as caught:
        config.hosts(group, names)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_hosts_and_groups_can_be_keys_of_a_dict(tmp_path: Path) -> None:
    config = load(write(tmp_path, json.dumps(EVERYTHING)))
    group: HostGroup = config.group()
    assert {group: 1, group.hosts[0]: 2, config: 3}[config.hosts()[0]] == 2


def test_the_same_machine_name_on_two_ports_is_two_hosts(tmp_path: Path) -> None:
    hosts = [{"host": "127.0.0.1", "port": port, "dir": "/d"} for port in (2201, 2202)]
    config = load(write(tmp_path, json.dumps({"host_groups": {"dev": {"hosts": hosts}}})))
    assert [host.port for host in config.hosts()] == [2201, 2202]


def test_a_mark_before_utf8_is_no_mistake(tmp_path: Path) -> None:
    config: Config = load(write(tmp_path, b"\xef\xbb\xbf{" + HOSTS.encode() + b"}"))
    assert config.hosts()[0].host == "apollo"


def test_all_mistakes_come_at_once_with_file_and_line(tmp_path: Path) -> None:
    text = """{
    "usr": "dino",
    "debug_port": true,
    "runtime": "dokcer",
    "host_groups": {
        "dev": {
            "hosts": [
                {"host": "apollo", "dir": "data",
                 "prot": 22}
            ]
        }
    }
}"""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.message.splitlines() == [
        f"{file}:2: usr: unknown key; did you mean 'user'?",
        f"{file}:3: debug_port: expected an integer, found true",
        f"{file}:4: runtime: expected 'docker' or 'podman' or 'none', found 'dokcer'; "
        "did you mean 'docker'?",
        f"{file}:8: host_groups.dev.hosts[0].dir: must be an absolute path or start with '~/'; "
        "found 'data'",
        f"{file}:9: host_groups.dev.hosts[0].prot: unknown key; did you mean 'port'?",
    ]
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "huge", "loop"])
def test_what_is_no_readable_file_is_said(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "config.json"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif kind == "huge":
        file.write_bytes(b" " * 1_000_001)
    elif kind == "loop":
        file.symlink_to(file)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert (
        caught.value.message
        == {
            "missing": f"{file}: can't be read: No such file or directory",
            "folder": f"{file}: is not a regular file",
            "pipe": f"{file}: is not a regular file",
            "device": f"{file}: is not a regular file",
            "huge": f"{file}: is larger than 1000000 bytes, so it is not a config",
            "loop": f"{file}: can't be read: Too many levels of symbolic links",
        }[kind]
    )
