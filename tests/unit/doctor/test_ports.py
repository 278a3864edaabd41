"""Ports: what the kernel's tables and docker_run_args say, and what doctor makes of it."""

import os
import socket
import subprocess
import sys

import pytest

from igor_core.doctor.debugpy import PROBE, debug_python, debugpy_check
from igor_core.doctor.local_port import PortUse, port_use
from igor_core.doctor.ports import (
    container_ports,
    exposure_checks,
    listening_programs,
    port_checks,
)
from igor_core.doctor.run_args import PortRange, published, read_run_args


def at(address: str, first: int, last: int = 0, protocol: str = "tcp") -> PortRange:
    return PortRange(address, range(first, (last or first) + 1), protocol)


SS = """\
tcp   LISTEN 0      80        127.0.0.1:3306       0.0.0.0:*
tcp   LISTEN 0      511               *:8080             *:*    users:(("node",pid=12,fd=9))
tcp   LISTEN 0      128           [::1]:631           [::]:*
udp   UNCONN 0      0     127.0.0.53%lo:53         0.0.0.0:*
"""


def test_the_programs_that_ss_lists_are_read() -> None:
    assert listening_programs(SS) == {
        at("127.0.0.1", 3306): "",
        at("*", 8080): "node (pid 12)",
        at("::1", 631): "",
        at("127.0.0.53", 53, protocol="udp"): "",
    }


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("0.0.0.0", "127.0.0.1", True),
        ("127.0.0.1", "", True),
        ("::", "10.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", False),
    ],
)
def test_addresses_are_in_each_other_s_way(one: str, other: str, together: bool) -> None:
    assert at(one, 80).overlaps(at(other, 79, 81)) is together
    assert not at(one, 80).overlaps(at(other, 81, 82))
    assert not at(one, 80).overlaps(at(other, 80, protocol="udp"))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("8888", (PortRange("", range(0)), range(8888, 8889))),
        ("8888:80", (at("", 8888), range(80, 81))),
        ("127.0.0.1:8888:80", (at("127.0.0.1", 8888), range(80, 81))),
        ("127.0.0.1::80", (PortRange("127.0.0.1", range(0)), range(80, 81))),
        ("9000-9002:9000-9002/udp", (at("", 9000, 9002, "udp"), range(9000, 9003))),
        ("[::1]:8888:80", (at("::1", 8888), range(80, 81))),
        ("name:80", None),
        ("x", None),
    ],
)
def test_a_published_port_is_read_as_docker_reads_it(
    value: str, found: tuple[PortRange, range] | None
) -> None:
    assert published(value) == found


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "8888:80"],
        ["-p8888:80"],
        ["-p=8888:80"],
        ["--publish", "8888:80"],
        ["--shm-size=1g", "--publish=8888:80", "-it"],
    ],
)
def test_published_ports_are_found_however_the_option_is_written(arguments: list[str]) -> None:
    assert read_run_args(arguments).ports == ((at("", 8888), range(80, 81)),)


@pytest.mark.parametrize(
    ("arguments", "gpu"),
    [
        (["--gpus", "all"], "gpus"),
        (["--gpus=2"], "gpus"),
        (["--runtime=nvidia"], "runtime"),
        (["--runtime", "runc"], ""),
        (["--device", "nvidia.com/gpu=all"], "cdi"),
        (["--device=/dev/kvm"], ""),
        ([], ""),
    ],
)
def test_gpus_are_seen_however_they_are_asked_for(arguments: list[str], gpu: str) -> None:
    assert read_run_args(arguments).gpu == gpu


def test_the_ports_that_ps_shows_are_read() -> None:
    column = "0.0.0.0:8888->80/tcp, :::8888->80/tcp, 443/tcp, 127.0.0.1:53-54->53-54/udp"
    assert container_ports(f"one\t{column}\ntwo\t\n") == {
        at("0.0.0.0", 8888): "one",
        at("::", 8888): "one",
        at("127.0.0.1", 53, 54, "udp"): "one",
    }


PROGRAMS = {at("127.0.0.1", 8001): "", at("127.0.0.1", 8002): "jupyter (pid 12)"}
CONTAINERS = {at("0.0.0.0", 8888): "other", at("0.0.0.0", 7000, 7009): "lab-sample-dev"}


@pytest.mark.parametrize(
    ("option", "state", "said"),
    [
        ("127.0.0.1:9999:80", "ok", "free"),
        ("127.0.0.1:8001:80", "fail", "taken by a program of another user"),
        ("127.0.0.1:8002:80", "fail", "taken by jupyter (pid 12)"),
        ("10.0.0.1:8002:80", "ok", "free"),
        ("127.0.0.1:8002:80/udp", "ok", "free"),
        ("127.0.0.1:8880-8890:80-90", "fail", "taken by the container other"),
        ("127.0.0.1:7000:80", "ok", "published by lab-sample-dev"),
    ],
)
def test_who_has_a_published_port_is_named(option: str, state: str, said: str) -> None:
    check, *_ = port_checks(read_run_args(["-p", option]), CONTAINERS, PROGRAMS, "lab-sample-dev")
    assert (check.state, check.text) == (state, said)


def test_without_ss_a_port_is_not_called_free() -> None:
    (check,) = port_checks(read_run_args(["-p", "80:80"]), CONTAINERS, None, "lab-sample-dev")
    assert check.state == "skip"


def test_a_port_that_other_machines_reach_is_a_warning() -> None:
    options = ["-p", "9999:80", "-p", "81", "-p", "127.0.0.1:9998:80", "-p", "[::1]:9997:80"]
    (exposed,) = exposure_checks(read_run_args(options), 5556)
    assert exposed.state == "warn"
    assert exposed.text.endswith(": 9999, a port that the engine chooses")
    (exposed,) = exposure_checks(read_run_args(["-p", "10.0.0.1:9996:80"]), 5556)
    assert exposed.text.endswith(": 9996")
    (exposed,) = exposure_checks(read_run_args(["-P"]), 5556)
    assert "--publish-all" in exposed.text


def test_a_taken_port_of_this_machine_is_named_with_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = port_use(server.getsockname()[1])
    (holder,) = taken.holders
    assert holder.endswith(f"(pid {os.getpid()})")
    assert port_use(taken.port) == PortUse(taken.port)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "5556:5556"], ": 5556"),
        (["-p", "5000:5556"], ": 5000"),
        (["-p5556"], ": a port that the engine chooses"),
        (["--publish=10.0.0.1:5550-5560:5550-5560"], ": 5550-5560"),
        (["--network", "host"], "all users of the host can reach"),
        (["--net=host"], "all users of the host can reach"),
        (["-p", "127.0.0.1:5556:5556"], ""),
        (["-p", "127.0.0.1:8888:8888", "--network=none"], ""),
    ],
)
def test_a_debugger_s_port_that_others_reach_is_a_warning(arguments: list[str], said: str) -> None:
    checks = exposure_checks(read_run_args(arguments), 5556)
    assert [check.state for check in checks] == (["warn"] if said else [])
    assert all(said in check.text and check.hint for check in checks)


@pytest.mark.parametrize(
    ("printed", "state", "said"),
    [
        ("/venv/bin/python\n3.11\nits own\n", "ok", "/venv/bin/python (Python 3.11) has debugpy"),
        ("/venv/bin/python\n3.11\nigor's\n", "ok", "has igor's debugpy"),
        ("/usr/bin/python3\n3.11\n\n", "warn", "(Python 3.11) in the container has no debugpy"),
        ("", "warn", "no Python was found in the container"),
    ],
)
def test_whether_the_python_there_has_debugpy_is_told(printed: str, state: str, said: str) -> None:
    check = debugpy_check(debug_python(printed), "in the container")
    assert (check.state, said in check.text) == (state, True)


def test_this_python_answers_the_probe() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    found = debug_python(done.stdout)
    assert found is not None
    assert (found.path, found.version) == (sys.executable, "{}.{}".format(*sys.version_info))
