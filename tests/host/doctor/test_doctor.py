"""doctor on real hosts: what is broken there is named, and nothing else."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.cli_process import COMMAND, environment

pytestmark = pytest.mark.timeout(180)

Checks = dict[str, dict[str, str]]


class Clinic:
    """A project with hosts, and what doctor says of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.status = -1
        self.local: Checks = {}
        self.hosts: dict[str, Checks] = {}

    def configure(self, *hosts: Host, dir: str = "~/dev", **more: Any) -> None:
        entries = [{"host": host.name, "dir": dir} for host in hosts]
        self.write(".igor/config.json", json.dumps({**_config(entries), **more}))
        self.write("dockerfile", "FROM igor-base:latest\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def igor(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.root, env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, start_new_session=True, check=False,
        )  # fmt: skip

    def examine(self, *arguments: str) -> None:
        done = self.igor("--json", "doctor", *arguments)
        assert done.stdout, done.stderr
        outcome = json.loads(done.stdout.splitlines()[-1])
        assert outcome["data"] is not None, outcome
        self.status = done.returncode
        self.local = _by_name(outcome["data"]["local"])
        self.hosts = {
            entry["host"]: _by_name(entry["checks"]) for entry in outcome["data"]["hosts"]
        }

    def check(self, host: Host, name: str) -> dict[str, str]:
        return self.hosts[host.name][name]

    def failed(self, host: Host) -> list[str]:
        checks = self.hosts[host.name]
        return [name for name, check in checks.items() if check["state"] == "fail"]


def _config(entries: list[dict[str, str]]) -> dict[str, Any]:
    return {"user": "lab", "project": "clinic", "host_groups": {"dev": {"hosts": entries}}}


def _by_name(checks: list[dict[str, str]]) -> Checks:
    return {check["name"]: check for check in checks}


@pytest.fixture
def clinic(ssh_home: Path) -> Iterator[Clinic]:
    root = ssh_home / "clinic"
    root.mkdir()
    clinic = Clinic(root)
    yield clinic
    clinic.igor("agent", "stop")


@pytest.fixture
def apollo(lab: Lab) -> Host:
    return lab["apollo"]


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    hidden = path.with_name(path.name + ".hidden")
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """A file of the host with other content; its owner stays."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


@contextmanager
def group_of(path: Path, group: int) -> Iterator[None]:
    before = path.stat().st_gid
    os.chown(path, -1, group)
    try:
        yield
    finally:
        os.chown(path, -1, before)


def test_healthy_hosts_pass(clinic: Clinic, lab: Lab) -> None:
    apollo, enterprise = lab["apollo"], lab["enterprise"]
    clinic.configure(apollo, enterprise)
    clinic.examine()
    assert clinic.status == 0
    assert list(clinic.hosts) == ["apollo", "enterprise"]
    assert clinic.failed(apollo) == clinic.failed(enterprise) == []
    for name in ("ssh", "python3", "tools", "dir", "docker"):
        assert clinic.check(apollo, name)["state"] == "ok", name
    assert apollo.address in clinic.check(apollo, "ssh")["text"]
    assert clinic.check(apollo, "container")["state"] == "skip"
    assert clinic.local["config"]["state"] == "ok"
    assert not list(apollo.path("").glob(".igor-doctor*"))
    assert not apollo.path("dev").exists()


def test_the_table_names_each_host_and_its_checks(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    done = clinic.igor("doctor")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "this machine"
    assert "apollo" in lines
    assert any(line.split()[:3] == ["ok", "docker", "docker"] for line in lines)


def test_a_dead_host_delays_nobody_and_is_named(clinic: Clinic, lab: Lab) -> None:
    apollo, enterprise = lab["apollo"], lab["enterprise"]
    clinic.configure(apollo, enterprise)
    enterprise.cut()
    started = time.monotonic()
    clinic.examine()
    assert time.monotonic() - started < 35
    assert clinic.status == 1
    assert clinic.failed(apollo) == []
    assert clinic.failed(enterprise) == ["ssh"]
    # The kernel may already know that nothing answers on the local network.
    assert re.search("does not answer|can't be reached", clinic.check(enterprise, "ssh")["text"])


def test_an_unknown_host_name_is_named(clinic: Clinic, apollo: Host) -> None:
    entries = [{"host": "nowhere.invalid", "dir": "/x"}]
    clinic.write(".igor/config.json", json.dumps(_config(entries)))
    clinic.examine()
    assert clinic.status == 1
    assert "no such host name" in clinic.hosts["nowhere.invalid"]["ssh"]["text"]


def test_an_engine_that_is_down_is_named(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    apollo.kill_docker()
    clinic.examine()
    assert clinic.failed(apollo) == ["docker"]
    assert "down" in clinic.check(apollo, "docker")["text"]
    assert "systemctl start docker" in clinic.check(apollo, "docker")["hint"]


def test_a_missing_group_and_a_login_older_than_it_are_told_apart(
    clinic: Clinic, apollo: Host
) -> None:
    clinic.configure(apollo)
    groups = apollo.path("/etc/group")
    with group_of(apollo.path("/run/docker.sock"), 4):
        clinic.examine()
        assert clinic.failed(apollo) == ["docker"]
        assert "sudo usermod -aG adm igor-lab" in clinic.check(apollo, "docker")["hint"]
        with changed(groups, groups.read_text().replace("adm:x:4:", "adm:x:4:igor-lab")):
            clinic.examine()
            assert "igor logged in before" in clinic.check(apollo, "docker")["text"]
            assert clinic.igor("agent", "stop").returncode == 0
            clinic.examine()
            assert clinic.check(apollo, "docker")["state"] == "ok"


def test_missing_programs_are_named(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    programs = apollo.path("/usr/bin")
    with (
        moved_away(programs / "rsync"),
        moved_away(programs / "docker"),
        moved_away(programs / "xargs"),
    ):
        clinic.examine()
        assert clinic.failed(apollo) == ["docker"]
        clinic.configure(apollo, transport="rsync")
        clinic.examine()
    assert clinic.failed(apollo) == ["rsync", "tools", "docker"]
    assert "xargs" in clinic.check(apollo, "tools")["text"]
    assert "not installed" in clinic.check(apollo, "docker")["text"]


@pytest.mark.parametrize(
    ("dir", "said"),
    [
        ("/root/dev", "can't write in /root: Permission denied"),
        ("~/.bashrc/dev", ".bashrc is not a folder"),
        ("/proc/dev", "can't write in /proc"),
    ],
)
def test_a_dir_that_can_t_be_had_is_named(
    clinic: Clinic, apollo: Host, dir: str, said: str
) -> None:
    clinic.configure(apollo, dir=dir)
    clinic.examine()
    assert clinic.failed(apollo) == ["dir"]
    assert said in clinic.check(apollo, "dir")["text"]


def test_a_full_disk_is_named(clinic: Clinic, apollo: Host) -> None:
    inside = ["nsenter", f"--target={apollo.pids('sshd')[0]}", "--mount", "--"]
    full = f"{apollo.home}/full"
    script = 'mkdir -p "$1" && mount -t tmpfs -o size=64k,mode=777 tmpfs "$1" && '
    script += 'head -c 1M /dev/zero >"$1/filler" 2>/dev/null; mountpoint -q "$1"'
    subprocess.run([*inside, "sh", "-c", script, "sh", full], check=True)
    try:
        clinic.configure(apollo, dir=full)
        clinic.examine()
    finally:
        subprocess.run([*inside, "umount", full], check=True)
        apollo.path(full).rmdir()
    assert clinic.failed(apollo) == ["dir", "disk"]
    assert "No space left" in clinic.check(apollo, "dir")["text"]
    assert clinic.check(apollo, "file system")["state"] == "warn"


def test_a_login_shell_that_talks_and_dawdles_is_named(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    start = apollo.path(".bashrc")
    with changed(start, "echo Welcome to apollo\n" + start.read_text()):
        clinic.examine()
    assert "Welcome to apollo" in clinic.check(apollo, "login shell")["text"]
    with changed(start, "sleep 0.6\n" + start.read_text()):
        clinic.examine()
    assert "to start" in clinic.check(apollo, "login shell")["text"]
    assert clinic.status == 0


def test_who_has_a_published_port_is_named(clinic: Clinic, apollo: Host) -> None:
    apollo.run(["sh", "-c", "exec python3 -m http.server 18001 >/dev/null 2>&1 &"], check=True)
    run = ["run", "-d", "--name", "squatter", "-p", "18002:80", "igor-base:latest", "sleep", "99"]
    try:
        assert apollo.docker(*run).returncode == 0
        options = ["-p", "18001:80", "-p", "18002:80", "-p", "127.0.0.1:18003:80"]
        clinic.configure(apollo, docker_run_args=options)
        clinic.examine()
    finally:
        apollo.docker("rm", "-f", "squatter")
        apollo.run(["pkill", "-f", "http.server"])
    assert clinic.failed(apollo) == ["port 18001", "port 18002"]
    assert clinic.check(apollo, "port 18001")["text"].startswith("taken by python3 (pid ")
    assert clinic.check(apollo, "port 18002")["text"] == "taken by the container squatter"
    assert clinic.check(apollo, "port 18003")["state"] == "ok"
    assert "18001, 18002" in clinic.check(apollo, "exposed ports")["text"]


def test_gpus_that_a_host_hasn_t_are_named(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo, docker_run_args=["--gpus", "all"])
    clinic.examine()
    assert clinic.failed(apollo) == ["gpu"]
    assert "no NVIDIA driver" in clinic.check(apollo, "gpu")["text"]


def test_the_project_s_own_image_and_container_are_looked_at(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo, docker_run_args=["-p", "127.0.0.1:18004:80"])
    try:
        assert clinic.igor("docker", "setup").returncode == 0
        clinic.examine()
        assert clinic.failed(apollo) == []
        assert clinic.check(apollo, "image")["text"] == "lab-clinic is up to date"
        assert clinic.check(apollo, "container")["text"] == "lab-clinic-dev runs"
        assert (
            "(Python 3.11) in the container on apollo has no debugpy"
            in clinic.check(apollo, "debugpy")["text"]
        )
        assert clinic.check(apollo, "port 18004")["text"] == "published by lab-clinic-dev"
        clinic.write("dockerfile", "FROM igor-base:latest\nENV A=B\n")
        apollo.docker("stop", "-t", "0", "lab-clinic-dev")
        clinic.examine()
        assert "dockerfile changed" in clinic.check(apollo, "image")["text"]
        assert "does not run" in clinic.check(apollo, "container")["text"]
        assert clinic.status == 0
    finally:
        clinic.igor("docker", "clean", "--images")


def test_a_host_without_python_still_gets_all_checks(clinic: Clinic, pythonless_host: Host) -> None:
    clinic.configure(pythonless_host, runtime="none")
    clinic.examine()
    assert clinic.failed(pythonless_host) == []
    assert "supervisor does not run" in clinic.check(pythonless_host, "python3")["text"]
    assert clinic.check(pythonless_host, "dir")["state"] == "ok"
    assert "docker" not in clinic.hosts[pythonless_host.name]


def test_rootless_podman_is_looked_at(clinic: Clinic, podman_host: Host) -> None:
    clinic.configure(podman_host, runtime="podman")
    clinic.examine()
    assert clinic.failed(podman_host) == []
    assert clinic.check(podman_host, "podman")["text"].endswith(", rootless")
    assert clinic.check(podman_host, "engine's disk")["state"] in ("ok", "warn")


def test_without_a_project_this_machine_is_looked_at(clinic: Clinic) -> None:
    clinic.examine()
    assert clinic.status == 0
    assert clinic.hosts == {}
    assert clinic.local["config"]["state"] == "warn"
    assert "igor init" in clinic.local["config"]["hint"]
    assert clinic.local["rsync"]["state"] == "ok"


def test_a_wrong_config_fails_and_this_machine_is_still_looked_at(clinic: Clinic) -> None:
    clinic.write(".igor/config.json", '{"prot": 1}')
    clinic.examine()
    assert clinic.status == 1
    assert "prot: unknown key" in clinic.local["config"]["text"]
    assert clinic.local["git"]["state"] == "ok"


def test_a_taken_debug_port_is_named_with_its_process(clinic: Clinic, apollo: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        clinic.configure(apollo, debug_port=server.getsockname()[1])
        clinic.examine()
    assert clinic.local["debug_port"]["state"] == "warn"
    assert f"(pid {os.getpid()})" in clinic.local["debug_port"]["text"]


def test_a_group_that_is_not_there_is_a_usage_error(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    done = clinic.igor("doctor", "-g", "cluster")
    assert done.returncode == 2
    assert "its groups: dev" in done.stderr


def test_what_igor_can_t_do_of_ssh_config_is_named(
    clinic: Clinic, apollo: Host, ssh_home: Path
) -> None:
    config = ssh_home / ".ssh" / "config"
    config.write_text(f"VerifyHostKeyDNS yes\n{config.read_text()}")
    clinic.configure(apollo)
    clinic.examine()
    assert clinic.check(apollo, "ssh")["state"] == "ok"
    assert clinic.check(apollo, "ssh_config")["state"] == "skip"
    assert "VerifyHostKeyDNS yes" in clinic.check(apollo, "ssh_config")["text"]
    apollo.kill_sshd()
    assert clinic.igor("agent", "stop").returncode == 0
    clinic.examine()
    assert clinic.failed(apollo) == ["ssh"]
    assert clinic.check(apollo, "ssh_config")["state"] == "warn"


def test_a_cable_cut_since_the_last_look_is_named(clinic: Clinic, apollo: Host) -> None:
    clinic.configure(apollo)
    clinic.examine()
    assert clinic.failed(apollo) == []
    apollo.cut()
    clinic.examine()
    assert clinic.failed(apollo) == ["ssh"]
    apollo.mend()
    clinic.examine()
    assert clinic.failed(apollo) == []
