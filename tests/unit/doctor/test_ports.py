"""Ports: what the kernel's tables and docker_run_args say, and what doctor makes of it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from igor_core.doctor.debugger import PROBE, debug_python, debugpy_check, exposure_checks
from igor_core.doctor.facts import Container, Listening
from igor_core.doctor.listening import Listener, listeners, overlap
from igor_core.doctor.local_port import PortUse, port_use
from igor_core.doctor.ports import port_checks
from igor_core.doctor.run_args import Published, published, shown, wanted

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   114        0 2101 1
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2102 1
   2: 0100007F:D431 0100007F:0CEA 01 00000000:00000000 00:00000000 00000000  1000        0 2103 1
"""
TCP6 = """\
   0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 0:0 0:0 0 7 0 9
   1: 0000000000000000FFFF00000100007F:0278 00000000000000000000000000000000:0000 0A 0:0 0:0 0 7 0 9
"""


def test_the_kernel_s_table_names_what_listens_and_nothing_else() -> None:
    assert listeners(TCP, "tcp") == [
        Listener("tcp", "127.0.0.1", 3306, 114, 2101),
        Listener("tcp", "0.0.0.0", 8080, 0, 2102),
    ]
    assert [(one.address, one.port) for one in listeners(TCP6, "tcp")] == [
        ("::1", 631),
        ("127.0.0.1", 632),
    ]


def test_this_machine_s_own_table_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = listeners(Path("/proc/net/tcp").read_text(), "tcp")
        assert ("127.0.0.1", port) in [(one.address, one.port) for one in found]


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
    assert overlap(one, other) is together


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("8888", Published("", 0, 0)),
        ("8888:80", Published("", 8888, 8888)),
        ("127.0.0.1:8888:80", Published("127.0.0.1", 8888, 8888)),
        ("127.0.0.1::80", Published("127.0.0.1", 0, 0)),
        ("9000-9002:9000-9002/udp", Published("", 9000, 9002, "udp")),
        ("[::1]:8888:80", Published("::1", 8888, 8888)),
        ("name:80", None),
    ],
)
def test_a_published_port_is_read_as_docker_reads_it(value: str, found: Published | None) -> None:
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
    assert wanted(arguments).ports == (Published("", 8888, 8888),)


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
    assert wanted(arguments).gpu == gpu


def test_the_ports_that_ps_shows_are_read() -> None:
    column = "0.0.0.0:8888->80/tcp, :::8888->80/tcp, 443/tcp, 127.0.0.1:53-54->53-54/udp"
    assert shown(column) == (
        Published("0.0.0.0", 8888, 8888),
        Published("::", 8888, 8888),
        Published("127.0.0.1", 53, 54, "udp"),
    )


LISTENING = Listening(
    (
        Listener("tcp", "0.0.0.0", 8000, 0, 1),
        Listener("tcp", "127.0.0.1", 8001, 1000, 2),
        Listener("tcp", "127.0.0.1", 8002, 1000, 3),
    ),
    {("tcp", 8002): "jupyter (pid 12)"},
)
CONTAINERS = (
    Container("other", shown("0.0.0.0:8888->8888/tcp")),
    Container("lab-sample-dev", shown("0.0.0.0:7000-7009->7000-7009/tcp")),
)


@pytest.mark.parametrize(
    ("option", "state", "said"),
    [
        ("127.0.0.1:9999:80", "ok", "free"),
        ("127.0.0.1:8000:80", "fail", "taken by a process of root"),
        ("127.0.0.1:8001:80", "fail", "taken by a process of user 1000"),
        ("127.0.0.1:8002:80", "fail", "taken by jupyter (pid 12)"),
        ("10.0.0.1:8002:80", "ok", "free"),
        ("127.0.0.1:8002:80/udp", "ok", "free"),
        ("127.0.0.1:8880-8890:80-90", "fail", "taken by the container other"),
        ("127.0.0.1:7000:80", "ok", "published by lab-sample-dev"),
    ],
)
def test_who_has_a_published_port_is_named(option: str, state: str, said: str) -> None:
    check, *_ = port_checks(wanted(["-p", option]), LISTENING, CONTAINERS, "lab-sample-dev")
    assert (check.state, check.text) == (state, said)


def test_a_port_that_other_machines_reach_is_a_warning() -> None:
    asked = wanted(["-p", "9999:80", "-p", "81", "-p", "127.0.0.1:9998:80", "-p", "[::1]:9997:80"])
    *_others, exposed = port_checks(asked, LISTENING, (), "")
    assert exposed.state == "warn"
    assert exposed.text.endswith(": 9999, of the engine's choice")
    *_others, exposed = port_checks(wanted(["-p", "10.0.0.1:9996:80"]), LISTENING, (), "")
    assert exposed.text.endswith(": 9996")


def test_a_taken_port_of_this_machine_is_named_with_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = port_use(server.getsockname()[1])
    assert [holder.pid for holder in taken.holders] == [os.getpid()]
    assert taken.holders[0].program
    assert port_use(taken.port) == PortUse(taken.port)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "5556:5556"], "docker_run_args publish 5556"),
        (["-p", "5000:5556"], "docker_run_args publish 5000"),
        (["-p5556"], "docker_run_args publish a port of the engine's choice"),
        (["--publish=10.0.0.1:5550-5560:5550-5560"], "docker_run_args publish 5550-5560"),
        (["--network", "host"], "open to all users of the host"),
        (["--net=host"], "open to all users of the host"),
        (["-p", "127.0.0.1:5556:5556"], ""),
        (["-p", "8888:8888", "--network=none"], ""),
    ],
)
def test_a_debugger_s_port_that_others_reach_is_a_warning(arguments: list[str], said: str) -> None:
    checks = exposure_checks(wanted(arguments), 5556)
    assert [check.state for check in checks] == (["warn"] if said else [])
    assert all(said in check.text and check.hint for check in checks)


@pytest.mark.parametrize(
    ("printed", "state", "said"),
    [
        ("/venv/bin/python\n3.11\nits own\n", "ok", "/venv/bin/python (Python 3.11) has it"),
        ("/venv/bin/python\n3.11\nigor's\n", "ok", "has igor's"),
        ("/usr/bin/python3\n3.11\n\n", "warn", "(Python 3.11) in the container has no debugpy"),
        ("", "warn", "no Python in the container"),
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
