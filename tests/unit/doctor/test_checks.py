"""What doctor makes of facts: one sentence, a state, a remedy."""

import os
import re
import socket
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from igor_core.container.engine_errors import engine_error
from igor_core.doctor import local_facts
from igor_core.doctor.check import Check, any_failed, fail, ok, summary, warn
from igor_core.doctor.engine import engine_checks, gpu_check
from igor_core.doctor.engine_facts import Engine, engine_facts
from igor_core.doctor.host import host_checks, space_check
from igor_core.doctor.host_facts import HostFacts, HostLink, parse, space
from igor_core.doctor.host_script import HOST_SCRIPT
from igor_core.doctor.local import debug_port_check, machine_checks
from igor_core.doctor.local_facts import Machine, OwnFolder
from igor_core.doctor.local_port import PortUse
from igor_core.errors import HostError
from igor_core.runtime import Runtime
from igor_core.ssh.process import Completed

LINK = HostLink("lab@apollo", True, "", 0.001)
PLAIN = LINK._replace(supervised=False, why_plain="python3: not found")
BASE = "/data/dev"
FACTS = HostFacts(
    user="lab", python3="Python 3.9.2", rsync="rsync  version 3.2.7  protocol version 31",
    nearest=BASE, space="ext4 100000000000 50000000000 1000 500 /data", shell="/bin/bash",
    shell_milliseconds="10", engine="docker", socket_group="docker", groups_now="lab",
    groups_next="lab",
)  # fmt: skip
ENGINE = Engine("docker", 0, "", "20.10.24", "20.10.24", False, "/var/lib/docker", ("runc",))
DENIED = "Got permission denied while trying to connect to the Docker daemon socket"
DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon"


def judged(facts: HostFacts, link: HostLink = LINK, *, by_rsync: bool = True) -> list[Check]:
    return host_checks(facts, link, BASE, containers=True, by_rsync=by_rsync)


def test_a_host_in_order_has_no_other_state() -> None:
    checks = judged(FACTS)
    assert {check.state for check in checks} == {"ok"}
    assert summary(checks) == "all checks passed"


HOST: list[tuple[dict[str, str], str, str, str]] = [
    ({"rsync": ""}, "rsync", "fail", "not installed"),
    ({"rsync": "rsync  version 3.1.2  protocol version 31"}, "rsync", "fail", "3.1.2"),
    ({"rsync": "openrsync: protocol version 29"}, "rsync", "fail", "3.1.3 or later"),
    ({"unfit": " find xargs"}, "tools", "fail", "find, xargs"),
    ({"unfit": " tar"}, "tools", "fail", "tar"),
    ({"nearest": "/data"}, "dir", "ok", "can make it"),
    (
        {"nearest": "/", "write_error": "mktemp: x: Permission denied"},
        "dir", "fail", "/data/dev does not exist, and igor can't write in /: Permission denied",
    ),
    (
        {"write_error": "head: error writing: No space left on device"},
        "dir", "fail", "can't write in /data/dev: No space left on device",
    ),
    ({"write_error": "mktemp: failed: Read-only file system"}, "dir", "fail", "Read-only"),
    ({"not_folder": "/data"}, "dir", "fail", "/data is not a folder"),
    ({"not_writable": "/data/dev/sample"}, "dir", "fail", "sample belongs to another user"),
    ({"space": "ext4 100000000000 0 1000 500 /data"}, "disk", "fail", "the disk is full"),
    ({"space": "ext4 100000000000 500000000 9 5 /data"}, "disk", "warn", "only 500 MB of 100 GB"),
    ({"space": "ext4 100000000000 4000000000 9 5 /data"}, "disk", "warn", "only 4.0 GB"),
    ({"space": "ext4 100000000000 50000000000 1000 0 /data"}, "disk", "fail", "inodes"),
    ({"space": ""}, "disk", "skip", ""),
    ({"space": "nfs4 9 9 9 9 /data"}, "file system", "warn", "network file system"),
    ({"space": "vfat 9 9 9 9 /data"}, "file system", "warn", "no modes"),
    ({"space": "tmpfs 9 9 9 9 /data"}, "file system", "warn", "gone when the host restarts"),
    ({"shell_output": "Hello\nyou"}, "login shell", "warn", "prints 'Hello you'"),
    ({"shell_milliseconds": "1500"}, "login shell", "warn", "takes 1.5 s to start"),
    ({"shell_milliseconds": ""}, "login shell", "ok", ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "name", "state", "said"), HOST)
def test_what_is_wrong_on_a_host_is_named(
    change: dict[str, str], name: str, state: str, said: str
) -> None:
    check = named(judged(replace(FACTS, **change)), name)
    assert check.state == state
    assert said in check.text
    assert check.hint or state in ("ok", "skip")


def test_rsync_and_gnu_find_are_needed_only_where_rsync_carries_the_files() -> None:
    facts = replace(FACTS, rsync="", unfit="find xargs")
    assert not any_failed(judged(facts, by_rsync=False))
    for checks in (judged(facts), judged(facts, PLAIN, by_rsync=False)):
        failed = [check.name for check in checks if check.state == "fail"]
        assert failed == ["rsync", "tools"]


def test_a_host_without_python_hears_what_it_misses() -> None:
    check = named(judged(replace(FACTS, python3=""), PLAIN), "python3")
    assert check.state == "warn"
    assert "may outlive a lost connection" in check.text


def test_a_shell_that_prints_fails_where_no_supervisor_passes_over_it() -> None:
    facts = replace(FACTS, shell_output="Hello")
    assert named(judged(facts, PLAIN), "login shell").state == "fail"


def test_all_that_the_script_says_is_read() -> None:
    names = set(re.findall(r"\bsay (\w+)", HOST_SCRIPT)) - {"say"}
    names |= set(re.findall(r"^version (\w+)", HOST_SCRIPT, re.MULTILINE))
    assert names == {field.name for field in fields(HostFacts)}


ENGINES = [
    (ENGINE, FACTS, "ok", "docker 20.10.24", ""),
    (replace(ENGINE, rootless=True), FACTS, "ok", "rootless", ""),
    (replace(ENGINE, server="19.03.5"), FACTS, "fail", "the engine is docker 19", "newer"),
    (replace(ENGINE, client="18.09.1"), FACTS, "fail", "the client is docker 18", "newer"),
    (ENGINE, replace(FACTS, engine=""), "fail", "docker is not installed", "install it"),
    (
        replace(ENGINE, status=1, error=DENIED), FACTS, "fail",
        "permission denied on /var/run/docker.sock: lab is not in the group docker",
        "sudo usermod -aG docker lab",
    ),
    (
        replace(ENGINE, status=1, error=DENIED), replace(FACTS, groups_next="lab docker"),
        "fail", "igor logged in before lab joined the group docker", "igor agent stop",
    ),
    (
        replace(ENGINE, status=1, error=DENIED),
        replace(FACTS, groups_now="docker", groups_next="docker"), "fail", "denied", "ls -l",
    ),
    (replace(ENGINE, status=1, error=DOWN), FACTS, "fail", "is down", "systemctl start docker"),
    (
        replace(ENGINE, status=1, error=DOWN), replace(FACTS, own_socket="/run/own.sock"),
        "fail", "a rootless engine listens at /run/own.sock", "docker context use rootless",
    ),
    (
        replace(ENGINE, status=1, error=DOWN), replace(FACTS, engine_host="tcp://x:1"),
        "fail", "no engine answers at tcp://x:1", "DOCKER_HOST",
    ),
    (
        replace(ENGINE, status=124, error="no answer within 30 s"), FACTS, "fail",
        "no answer within 30 s", "",
    ),
    (
        replace(ENGINE, word="podman", status=1, error="cannot find newuidmap"), FACTS, "fail",
        "podman can't map user ids", "uidmap",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "facts", "state", "said", "hint"), ENGINES)
def test_why_an_engine_can_t_be_used_is_named(
    engine: Engine, facts: HostFacts, state: str, said: str, hint: str
) -> None:
    def explain(status: int, words: str) -> HostError:
        return engine_error(
            Runtime("podman" if engine.word == "podman" else "docker"), status, words
        )

    (check,) = engine_checks(engine, facts, explain)
    assert check.state == state
    assert said in check.text
    assert hint in check.hint


@pytest.mark.parametrize(
    ("gpu", "word", "asked", "state", "said"),
    [
        ({}, "docker", "gpus", "fail", "no NVIDIA driver"),
        ({"driver": "NVRM 535"}, "docker", "gpus", "fail", "toolkit is not installed"),
        ({"driver": "NVRM 535", "toolkit": "nvidia-ctk"}, "docker", "gpus", "ok", "NVRM 535"),
        (
            {"driver": "NVRM 535", "toolkit": "nvidia-ctk"},
            "docker",
            "runtime",
            "fail",
            "no runtime 'nvidia'",
        ),
        ({"driver": "NVRM 535", "toolkit": "nvidia-ctk"}, "podman", "gpus", "fail", "/etc/cdi"),
        ({"driver": "NVRM 535", "cdi": "/etc/cdi/nvidia.yaml"}, "docker", "cdi", "ok", "NVRM 535"),
    ],
)
def test_what_gpus_need_is_looked_for(
    gpu: dict[str, str], word: str, asked: str, state: str, said: str
) -> None:
    check = gpu_check(replace(FACTS, **gpu), replace(ENGINE, word=word), asked)
    assert check.state == state
    assert said in check.text


def test_docker_s_own_words_are_read() -> None:
    info = b"""{"ServerVersion": "24.0.7", "DockerRootDir": "/srv/docker", "Runtimes": {"nvidia":1},
        "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}"""
    found = engine_facts(
        Runtime("docker"),
        Completed(0, info, b""),
        Completed(0, b"24.0.7\n", b""),
        Completed(0, b"one\t0.0.0.0:80->80/tcp\ntwo\t\n", b""),
    )
    assert found.rootless
    assert (found.server, found.data_root, found.runtimes) == ("24.0.7", "/srv/docker", ("nvidia",))
    assert list(found.ports.values()) == ["one"]


def test_a_client_without_its_engine_still_tells_its_version() -> None:
    none = Completed(1, b"", DOWN.encode())
    info = Completed(0, b'{"ServerVersion": "", "ServerErrors": ["Cannot connect"]}', b"")
    found = engine_facts(Runtime("docker"), info, Completed(1, b"28.2.2\n", b""), none)
    assert (found.status, found.error, found.client) == (1, "Cannot connect", "28.2.2")


def test_nothing_from_the_script_is_no_bug() -> None:
    assert parse(b"") == HostFacts()
    assert any_failed(judged(HostFacts()))
    assert space("") is None
    assert space_check("disk", None).state == "skip"


MACHINE = Machine(
    1, "3.11.2", "git version 2.39.5", "rsync  version 3.2.7", "OpenSSH_9.2p1", (), True, "", False,
    OwnFolder("/state"), OwnFolder("/run"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "state", "said"),
    [
        ({}, "rsync", "ok", "3.2.7"),
        ({"git": ""}, "git", "warn", "not installed"),
        ({"rsync": ""}, "rsync", "warn", "not installed"),
        ({"rsync": "openrsync: protocol version 29"}, "rsync", "warn", "3.1.3 or later"),
        ({"rsync": "rsync  version 2.6.9"}, "rsync", "warn", "2.6.9"),
        ({"ssh": ""}, "ssh", "warn", "not installed"),
        ({"unreadable": ("~/.ssh/config (Permission denied)",)}, "ssh files", "fail", "config"),
        ({"has_known_hosts": False}, "ssh files", "skip", "no ~/.ssh/known_hosts"),
        ({"agent_socket": "/tmp/gone"}, "ssh-agent", "warn", "no agent answers at /tmp/gone"),
        (
            {"agent_socket": "/tmp/there", "agent_answers": True},
            "ssh-agent",
            "ok",
            "/tmp/there",
        ),
        ({"state": OwnFolder("/x", "Read-only file system")}, "state", "fail", "/x: Read-only"),
        (
            {"runtime": OwnFolder("", "it isn't private", "chmod")},
            "runtime",
            "fail",
            "isn't private",
        ),
    ],
)
def test_what_is_wrong_on_this_machine_is_named(
    change: dict[str, Any], name: str, state: str, said: str
) -> None:
    check = named(machine_checks(replace(MACHINE, **change)), name)
    assert check.state == state
    assert said in check.text


@pytest.mark.parametrize(
    ("use", "state", "said"),
    [
        (PortUse(5678), "ok", "is free"),
        (PortUse(5678, "taken", ("code (pid 12)",)), "warn", "taken by code (pid 12)"),
        (PortUse(5678, "taken"), "warn", "taken by another program"),
        (PortUse(80, "Permission denied"), "warn", "can't listen on port 80: Permission denied"),
    ],
)
def test_a_debug_port_that_can_t_be_had_is_a_warning(use: PortUse, state: str, said: str) -> None:
    check = debug_port_check(use)
    assert check.state == state
    assert said in check.text


def test_this_machine_is_looked_at(home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(home / "agent"))
        agent.listen()
        found = local_facts.look({"SSH_AUTH_SOCK": str(home / "agent")})
    assert found.agent_socket == str(home / "agent")
    assert found.agent_answers
    assert found.git.startswith("git version")
    assert found.pid == os.getpid()
    assert not found.state.trouble
    assert list((home / "state/igor").iterdir()) == []
    assert not local_facts.look({"SSH_AUTH_SOCK": str(home / "agent")}).agent_answers


def test_a_state_folder_that_can_t_be_made_is_named(home: Path) -> None:
    (home / "state").rmdir()
    (home / "state").write_text("")
    assert local_facts.look({}).state.trouble


def test_the_summary_counts_and_names() -> None:
    checks = [ok("a", ""), warn("b", ""), fail("c", ""), warn("d", ""), warn("b", "")]
    assert summary(checks) == "1 failed (c), 2 warnings (b, d)"


def named(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found
