"""What makes debugging impossible is reported before the start; and who can connect."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import agent_pid
from tests.support.debugged import (
    DOCKERFILE,
    FILE,
    STOP,
    InContainer,
    Session,
    listeners,
    make_project,
)
from tests.support.sample_project import SampleProject

#: A Python without debugpy, and debugpy as a wheel, made of what another Python has.
WHEEL = (
    DOCKERFILE
    + """\
RUN python3 -m venv --without-pip /venv/empty && cd /venv/tools/lib/python3.11/site-packages && \\
    cp -r pip /venv/empty/lib/python3.11/site-packages && python3 -c "import shutil, glob, os; \\
    info = glob.glob('debugpy-*.dist-info')[0]; os.makedirs('/tmp/w'); os.makedirs('/wheels'); \\
    shutil.copytree('debugpy', '/tmp/w/debugpy'); shutil.copytree(info, '/tmp/w/' + info); \\
    name = '/wheels/' + info[:-10] + '-py3-none-any'; \\
    os.rename(shutil.make_archive(name, 'zip', '/tmp/w'), name + '.whl')"
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
"""
)

pytestmark = pytest.mark.usefixtures("ssh_home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all tests of the file: its image and container take longest to make."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture
def project(folder: Path, lab: Lab) -> SampleProject:
    return make_project(folder, lab["apollo"])


def refused(project: SampleProject, **more: Any) -> str:
    """The error and its hint."""
    outcome = Session(project, **more).end()
    assert outcome["status"] in (2, 255), outcome
    if outcome["error"]:
        return f"{outcome['error']} | {outcome['hint']}"
    return f"{outcome['results'][0]['text']} | {outcome['results'][0]['hint']}"


def test_what_is_missing_is_named_with_its_remedy(project: SampleProject) -> None:
    more = {"docker_rebuild_files": [], "debug_port": 20990}
    project.configure(**more, debug={"python": "/opt/none/bin/python"})
    said = refused(project)
    assert "in the container on apollo: /opt/none/bin/python, which" in said
    assert '"debug": {"python"' in said

    project.configure(**more, debug={"python": "/usr/bin/python3"})
    said = refused(project)
    assert "/usr/bin/python3 (Python 3.11) has no debugpy" in said
    assert "RUN pip install debugpy" in said

    project.configure(**more)
    assert "is not in the project" in refused(project, program="/etc/hostname")
    assert "there is no file nowhere.py" in refused(project, program="nowhere.py")
    project.write("ignored.py", "")
    project.write(".gitignore", "ignored.py\n")
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    assert "not among the files that are pushed" in refused(project, program="ignored.py")
    assert "which program?" in refused(project, name="")

    changed = project.on(project.hosts[0]) / FILE
    changed.write_text("print('changed there')\n")
    project.write(FILE, "print('changed here')\n")
    assert f"{FILE} differs on the host" in refused(project)
    changed.unlink()
    inside = InContainer(project)
    assert inside.is_empty()


def test_a_test_needs_pytest_and_its_file(tmp_path: Path, lab: Lab) -> None:
    project = make_project(tmp_path, lab["apollo"])
    project.write("test_it.py", "def test_it():\n    pass\n")
    packages = "/venv/tools/lib/python3.11/site-packages"
    project.write("dockerfile", f"{DOCKERFILE}RUN rm -r {packages}/pytest\n")
    said = refused(project, test="test_it.py::test_it")
    assert "/venv/tools/bin/python (Python 3.11) has no pytest" in said
    assert "RUN pip install pytest" in said
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    project.write(".gitignore", "test_it.py\n")
    assert "not among the files that are pushed" in refused(project, test="test_it.py")


def test_a_container_with_another_mount_is_named(tmp_path: Path, lab: Lab) -> None:
    arguments = ["--mount", f"type=tmpfs,target=/workspace/{FILE.partition('/')[0]}"]
    project = make_project(tmp_path, lab["apollo"], docker_run_args=arguments)
    said = refused(project)
    assert f"/workspace/{FILE} does not exist" in said
    assert "igor docker setup --force" in said
    over = ["--mount", f"type=bind,source=/etc/hostname,target=/workspace/{FILE}"]
    project.configure(docker_rebuild_files=[], docker_run_args=[*over, "--network=host"])
    subprocess.run([*_igor(), "docker", "setup", "--force"], cwd=project.root, check=True)
    session = Session(project)
    assert session.end()["status"] == 255
    result = session.job.outcome["results"][0] if session.job.outcome else {}
    assert f"/workspace/{FILE} differs from the local file" in result["text"]
    assert "with the host's network" in session.events("warning")[0]["text"]


def _igor() -> list[str]:
    return [str(Path(sys.executable).with_name("igor"))]


def test_debugpy_can_be_installed_for_the_session(tmp_path: Path, lab: Lab) -> None:
    project = make_project(tmp_path, lab["apollo"])
    project.write("dockerfile", WHEEL)
    more = {"docker_rebuild_files": [], "debug_port": 20970}
    project.configure(**more, debug={"python": "/venv/empty/bin/python"})
    session = Session(project, answers=True)
    prompt = session.job.answer("y")
    assert "has no debugpy" in prompt["text"]
    assert "/home/igor/.cache/igor/debugpy/" in prompt["text"]
    debugger = session.attach(STOP)
    debugger.go_on(debugger.stopped())
    assert session.end()["status"] == 3
    # It stays for the next time, outside of the tree.
    assert Session(project).debuggee()["python"] == "/venv/empty/bin/python"
    assert not list(project.on(project.hosts[0]).rglob("debugpy"))


def test_only_the_loopback_listens_locally_and_in_the_container(
    project: SampleProject, lab: Lab
) -> None:
    host = lab["apollo"]
    assert project.igor("docker", "setup").returncode == 0
    host.docker("run", "-d", "--name", "neighbour", "igor-base", "sleep", "600")
    inside = InContainer(project)

    def look() -> dict[str, set[str]]:
        tables = "cat /proc/net/tcp /proc/net/tcp6"
        return {
            "laptop": set(listeners(_read_tables(), _sockets(agent_pid()))),
            "host": set(listeners(host.run(["sh", "-c", tables]).stdout)),
            "neighbour": set(
                listeners(host.docker("exec", "neighbour", "sh", "-c", tables).stdout)
            ),
            "container": set(inside.listeners()),
        }

    before = look()
    session = Session(project)
    event = session.debuggee()
    during = look()
    new = {place: during[place] - before[place] for place in before}
    assert new["laptop"] == {f"0100007F:{event['port']:04X}"}
    assert new["host"] == new["neighbour"] == set()
    assert new["container"]
    assert all(address.startswith("0100007F:") for address in new["container"])

    address = host.docker(
        "inspect", "-f", "{{.NetworkSettings.IPAddress}}", f"dino-{project.root.name}-dev"
    ).stdout.strip()
    ports = [int(each.partition(":")[2], 16) for each in new["container"]]
    assert _tried(["python3", "-c", _TRY, address, *map(str, ports)], host) == "refused\n"
    neighbour = ["docker", "exec", "neighbour", "python3", "-c", _TRY, address, *map(str, ports)]
    assert _tried(neighbour, host) == "refused\n"
    for address in ("127.0.0.1", "::ffff:127.0.0.1"):
        assert _another_user_s_connection(address, event["port"], "wait") == b"closed"
    # Whose client has gone when igor comes to look.
    os.kill(agent_pid(), signal.SIGSTOP)
    try:
        _another_user_s_connection("127.0.0.1", event["port"], "go")
    finally:
        os.kill(agent_pid(), signal.SIGCONT)

    debugger = session.attach(STOP)
    debugger.go_on(debugger.stopped())
    assert session.end()["status"] == 3
    after = look()
    assert after["laptop"] <= before["laptop"]
    assert after["container"] == before["container"]
    inside.wait_until_empty()


def test_a_taken_port_is_named_and_the_next_one_used(project: SampleProject) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        project.configure(docker_rebuild_files=[], debug_port=port)
        session = Session(project)
        assert session.debuggee()["port"] > port
        steps = [step["text"] for step in session.events("step")]
        assert any(
            f"port {port} is taken by" in step and str(os.getpid()) in step for step in steps
        )


_TRY = """\
import socket, sys
for port in sys.argv[2:]:
    try:
        socket.create_connection((sys.argv[1], int(port)), 3)
    except ConnectionRefusedError:
        continue
    sys.exit(port)
print("refused")
"""


def _tried(command: list[str], host: Host) -> str:
    done = host.run(command)
    return done.stdout + done.stderr


_CLIENT = """\
import socket, sys
knock = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
knock.sendall(b"Content-Length: 2\\r\\n\\r\\n{}")
if sys.argv[3] == "go":
    sys.exit()
knock.settimeout(5)
try:
    said = knock.recv(100)
except ConnectionResetError:
    said = b""
print("answered" if said else "closed", end="")
"""


def _another_user_s_connection(address: str, port: int, then: str) -> bytes:
    command = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "/usr/bin/python3",
        "-I",
        "-c",
        _CLIENT,
    ]
    command += [address, str(port), then]
    return subprocess.run(command, capture_output=True, check=True, timeout=20).stdout


def _sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets; the agent is igor's only local process."""
    links = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def _read_tables() -> str:
    return Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
