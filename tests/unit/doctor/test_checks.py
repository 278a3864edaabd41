"""What doctor makes of facts: one sentence, a state, a remedy."""

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from igor_core.container.engine_errors import engine_error
from igor_core.doctor import local_facts
from igor_core.doctor.check import Check, any_failed, fail, ok, summary, warn
from igor_core.doctor.engine import engine_checks, gpu_check
from igor_core.doctor.engine_facts import engine_facts
from igor_core.doctor.facts import (
    Access,
    Engine,
    Gpu,
    HostFacts,
    Link,
    Listening,
    LoginShell,
    Place,
    Space,
    Tools,
)
from igor_core.doctor.host import host_checks, link_checks, space_check
from igor_core.doctor.local import debug_port_check, machine_checks
from igor_core.doctor.local_facts import Agent, Folder, Machine
from igor_core.doctor.local_port import Holder, PortUse
from igor_core.doctor.parse import parse, space
from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.runtime import Runtime
from igor_core.ssh.process import Completed

GB = 10**9
LINK = Link("lab@apollo", True, "", 0.001, 0.0)
PLAIN = replace(LINK, supervised=False, why_plain="python3: not found")
TOOLS = Tools("Python 3.9.2", "rsync  version 3.2.7  protocol version 31", "tar (GNU tar) 1.34", ())
PLACE = Place(
    path="/data/dev", dir="folder", nearest="/data/dev", nearest_kind="folder", write_error="",
    tree_path="/data/dev/sample", tree="folder", tree_writable=True,
    private_path="/data/dev/.igor-host", private="folder", private_writable=True,
)  # fmt: skip
SPACE = Space("ext4", 100 * GB, 50 * GB, 1000, 500, "/data")
SHELL = LoginShell("/bin/bash", 0.01, "")
ACCESS = Access("lab", True, "", "docker", "", ("lab",), ("lab",))
NO_GPU = Gpu("", (), "")
FACTS = HostFacts(TOOLS, PLACE, SPACE, SHELL, ACCESS, NO_GPU, Listening((), {}))
ENGINE = Engine("docker", 0, "", "20.10.24", "20.10.24", False, "/var/lib/docker", ("runc",))
DENIED = "Got permission denied while trying to connect to the Docker daemon socket"
DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon"


def test_a_host_in_order_has_no_other_state() -> None:
    checks = [*link_checks(LINK), *host_checks(FACTS, LINK, containers=True)]
    assert {check.state for check in checks} == {"ok"}
    assert summary(checks) == "everything works"


HOST = [
    (replace(TOOLS, rsync=""), "rsync", "fail", "not installed"),
    (replace(TOOLS, rsync="rsync  version 3.1.2  protocol version 31"), "rsync", "fail", "3.1.2"),
    (replace(TOOLS, rsync="openrsync: protocol version 29"), "rsync", "fail", "3.1.3 or later"),
    (replace(TOOLS, unfit=("find", "xargs")), "tools", "fail", "find, xargs"),
    (replace(TOOLS, tar="tar (busybox) 1.35"), "tools", "fail", "tar"),
    (replace(PLACE, dir="absent", nearest="/data"), "dir", "ok", "can be created"),
    (
        replace(PLACE, dir="absent", nearest="/", write_error="mktemp: x: Permission denied"),
        "dir", "fail", "/data/dev does not exist, and / can't be written: Permission denied",
    ),
    (
        replace(PLACE, write_error="head: error writing: No space left on device"),
        "dir", "fail", "/data/dev can't be written: No space left on device",
    ),
    (
        replace(PLACE, write_error="mktemp: failed: Read-only file system"),
        "dir", "fail", "Read-only",
    ),
    (replace(PLACE, nearest="/data", nearest_kind="other"), "dir", "fail", "/data is not a folder"),
    (replace(PLACE, tree="other"), "dir", "fail", "/data/dev/sample is not a folder"),
    (replace(PLACE, tree_writable=False), "dir", "fail", "/data/dev/sample belongs to another"),
    (replace(PLACE, private_writable=False), "dir", "fail", ".igor-host belongs to another user"),
    (replace(SPACE, free=0), "disk", "fail", "the disk is full"),
    (replace(SPACE, free=GB // 2), "disk", "warn", "only 500 MB of 100 GB"),
    (replace(SPACE, free=4 * GB), "disk", "warn", "only 4.0 GB"),
    (replace(SPACE, free_files=0), "disk", "fail", "inodes"),
    (replace(SPACE, kind="nfs4"), "file system", "warn", "network file system"),
    (replace(SPACE, kind="vfat"), "file system", "warn", "no modes"),
    (replace(SPACE, kind="tmpfs"), "file system", "warn", "gone when the host restarts"),
    (replace(SHELL, printed="Hello\nyou"), "login shell", "warn", "prints 'Hello you'"),
    (replace(SHELL, seconds=1.5), "login shell", "warn", "takes 1.5 s to start"),
    (replace(SHELL, seconds=None), "login shell", "ok", ""),
]  # fmt: skip


@pytest.mark.parametrize(("part", "name", "state", "said"), HOST)
def test_what_is_wrong_on_a_host_is_named(part: Any, name: str, state: str, said: str) -> None:
    field = {Tools: "tools", Place: "place", Space: "space", LoginShell: "shell"}[type(part)]
    change: dict[str, Any] = {field: part}
    check = named(host_checks(replace(FACTS, **change), LINK, containers=True), name)
    assert check.state == state
    assert said in check.text
    assert check.hint or state == "ok"


def test_a_host_without_python_hears_what_it_misses() -> None:
    facts = replace(FACTS, tools=replace(TOOLS, python=""))
    check = named(host_checks(facts, PLAIN, containers=False), "python3")
    assert check.state == "warn"
    assert "may survive a lost connection" in check.text


def test_a_shell_that_prints_fails_where_no_supervisor_passes_over_it() -> None:
    facts = replace(FACTS, shell=replace(SHELL, printed="Hello"))
    assert named(host_checks(facts, PLAIN, containers=False), "login shell").state == "fail"


@pytest.mark.parametrize(
    ("clock", "state", "said"),
    [
        (0.5, "ok", "agrees with"),
        (-61.0, "warn", "61.0 s behind"),
        (7300.0, "warn", "2 h ahead of"),
        (None, "skip", ""),
    ],
)
def test_a_clock_that_goes_wrong_is_named(clock: float | None, state: str, said: str) -> None:
    check = named(link_checks(replace(LINK, clock=clock)), "clock")
    assert check.state == state
    assert said in check.text


ENGINES = [
    (ENGINE, ACCESS, "ok", "docker 20.10.24, not rootless", ""),
    (replace(ENGINE, rootless=True), ACCESS, "ok", "rootless", ""),
    (replace(ENGINE, server="19.03.5"), ACCESS, "fail", "the engine is docker 19", "newer"),
    (replace(ENGINE, client="18.09.1"), ACCESS, "fail", "the client is docker 18", "newer"),
    (ENGINE, replace(ACCESS, installed=False), "fail", "docker is not installed", "install docker"),
    (
        replace(ENGINE, status=1, error=DENIED), ACCESS, "fail",
        "permission denied on /var/run/docker.sock: lab is not in the group docker",
        "sudo usermod -aG docker lab",
    ),
    (
        replace(ENGINE, status=1, error=DENIED), replace(ACCESS, groups_next=("lab", "docker")),
        "fail", "igor logged in before that", "igor agent stop",
    ),
    (
        replace(ENGINE, status=1, error=DENIED),
        replace(ACCESS, groups_now=("docker",), groups_next=("docker",)), "fail", "denied", "ls -l",
    ),
    (replace(ENGINE, status=1, error=DOWN), ACCESS, "fail", "is down", "systemctl start docker"),
    (
        replace(ENGINE, status=1, error=DOWN), replace(ACCESS, own_socket="/run/own.sock"),
        "fail", "a rootless engine listens at /run/own.sock", "docker context use rootless",
    ),
    (
        replace(ENGINE, status=1, error=DOWN), replace(ACCESS, host="tcp://x:1"),
        "fail", "no engine answers at tcp://x:1", "DOCKER_HOST",
    ),
    (
        replace(ENGINE, status=124, error="no answer within 30 s"), ACCESS, "fail",
        "no answer within 30 s", "",
    ),
    (
        replace(ENGINE, word="podman", status=1, error="cannot find newuidmap"), ACCESS, "fail",
        "podman can't map users", "uidmap",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "access", "state", "said", "hint"), ENGINES)
def test_why_an_engine_can_t_be_used_is_named(
    engine: Engine, access: Access, state: str, said: str, hint: str
) -> None:
    def explain(status: int, words: str) -> HostError:
        return engine_error(
            Runtime("podman" if engine.word == "podman" else "docker"), status, words
        )

    (check,) = engine_checks(engine, access, explain)
    assert check.state == state
    assert said in check.text
    assert hint in check.hint


@pytest.mark.parametrize(
    ("gpu", "word", "asked", "state", "said"),
    [
        (NO_GPU, "docker", "gpus", "fail", "no NVIDIA driver"),
        (Gpu("NVRM 535", (), ""), "docker", "gpus", "fail", "toolkit is not installed"),
        (Gpu("NVRM 535", ("nvidia-ctk",), ""), "docker", "gpus", "ok", "NVRM 535"),
        (Gpu("NVRM 535", ("nvidia-ctk",), ""), "docker", "runtime", "fail", "no runtime 'nvidia'"),
        (Gpu("NVRM 535", ("nvidia-ctk",), ""), "podman", "gpus", "fail", "/etc/cdi"),
        (Gpu("NVRM 535", (), "/etc/cdi/nvidia.yaml"), "docker", "cdi", "ok", "NVRM 535"),
    ],
)
def test_what_gpus_need_is_looked_for(
    gpu: Gpu, word: str, asked: str, state: str, said: str
) -> None:
    check = gpu_check(gpu, replace(ENGINE, word=word), asked)
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
    assert [(one.name, len(one.ports)) for one in found.containers] == [("one", 1), ("two", 0)]


def test_a_client_without_its_engine_still_tells_its_version() -> None:
    none = Completed(1, b"", DOWN.encode())
    info = Completed(0, b'{"ServerVersion": "", "ServerErrors": ["Cannot connect"]}', b"")
    found = engine_facts(Runtime("docker"), info, Completed(1, b"28.2.2\n", b""), none)
    assert (found.status, found.error, found.client) == (1, "Cannot connect", "28.2.2")


def test_nothing_from_the_script_is_no_bug() -> None:
    facts = parse(b"", HostPaths("/data", "sample"))
    checks = host_checks(facts, LINK, containers=True)
    assert any_failed(checks)
    assert space("") is None
    assert space_check("disk", "the code", None).state == "skip"


MACHINE = Machine(
    1, "3.11.2", "git version 2.39.5", "rsync  version 3.2.7", "OpenSSH_9.2p1", (), True, Agent(),
    Folder("/state"), Folder("/run"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "state", "said"),
    [
        ({}, "rsync", "ok", "3.2.7"),
        ({"git": ""}, "git", "warn", "not installed"),
        ({"rsync": ""}, "rsync", "fail", "not installed"),
        ({"rsync": "openrsync: protocol version 29"}, "rsync", "fail", "3.1.3 or later"),
        ({"rsync": "rsync  version 2.6.9"}, "rsync", "fail", "2.6.9"),
        ({"ssh": ""}, "ssh", "warn", "not installed"),
        ({"unreadable": ("~/.ssh/config (Permission denied)",)}, "ssh files", "fail", "config"),
        ({"has_known_hosts": False}, "ssh files", "skip", "~/.ssh/known_hosts does not exist"),
        (
            {"ssh_agent": Agent("/tmp/gone")},
            "ssh-agent",
            "warn",
            "no ssh-agent answers at /tmp/gone",
        ),
        ({"ssh_agent": Agent("/tmp/there", True)}, "ssh-agent", "ok", "/tmp/there"),
        ({"state": Folder("/x", "Read-only file system")}, "state", "fail", "/x: Read-only"),
        ({"runtime": Folder("", "it isn't private", "chmod")}, "runtime", "fail", "isn't private"),
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
        (PortUse(5678, "taken", (Holder("code", 12),)), "warn", "taken by code (pid 12)"),
        (PortUse(5678, "taken"), "warn", "taken by another user"),
        (PortUse(80, "Permission denied"), "warn", "can't be listened on: Permission denied"),
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
    assert found.ssh_agent == Agent(str(home / "agent"), answers=True)
    assert found.git.startswith("git version")
    assert found.pid == os.getpid()
    assert not found.state.trouble
    assert list((home / "state/igor").iterdir()) == []
    assert not local_facts.look({"SSH_AUTH_SOCK": str(home / "agent")}).ssh_agent.answers


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
