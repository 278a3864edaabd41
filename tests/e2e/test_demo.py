"""`make demo`: what it shows, and that it leaves nothing behind."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.lab.required import require_peer

CHECKOUT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "tests.demo"]
NO_DOCKER = "unix:///nowhere/docker.sock"
SECONDS = 60.0
END_SECONDS = 3.0


@pytest.fixture(autouse=True)
def _nothing_left(home: Path) -> Iterator[None]:
    """No process of the demo and no folder of its outlives it."""
    before = folders()
    yield
    assert folders() <= before
    deadline = time.monotonic() + END_SECONDS  # tmux has only just been told to end
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(home) == {}


def folders() -> set[Path]:
    return set(Path("/tmp").glob("igor-demo-*"))


def processes_of(home: Path) -> dict[int, str]:
    """Command lines, by number, of what this test has started; tmux's server is left out."""
    mark = f"IGOR_TEST_HOME={home}".encode()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            marked = mark in (process / "environ").read_bytes().split(b"\0")
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if marked and command and not command.startswith("tmux"):
            found[int(process.name)] = command
    return found


def start(docker_host: str = NO_DOCKER, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        DEMO, cwd=CHECKOUT, env={**os.environ, "DOCKER_HOST": docker_host, **more},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def read_until(demo: "subprocess.Popen[str]", text: str) -> str:
    assert demo.stdout is not None
    seen = ""
    for line in demo.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"no {text!r} in\n{seen}")


def test_without_a_terminal_it_does_the_main_job_and_reports_host_by_host() -> None:
    require_peer("rsync", "git")
    demo = start()
    said, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0, said
    assert '"runtime": "none", because' in said
    for host in ("apollo", "enterprise"):
        assert f"{host} | 10 s in 1001 steps" in said
        assert f"{host}: 1 file sent" in said
    report = said.partition("result on each host:")[2]
    assert report.count("all equal to the local ones") == 2
    assert report.count("results/angles.csv, which later pushes left alone") == 2
    assert "NOT" not in report


def test_it_touches_nothing_in_the_home_of_the_user(home: Path) -> None:
    require_peer("rsync", "git")
    before = sorted(home.rglob("*"))
    assert start().wait(SECONDS) == 0
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "SIGTERM"]
)
def test_interrupted_in_the_middle_it_cleans_up(number: signal.Signals, status: int) -> None:
    require_peer("rsync", "git")
    demo = start()
    read_until(demo, "$ igor docker exec")
    if number is signal.SIGINT:
        os.killpg(demo.pid, number)  # as a terminal does
    else:
        demo.send_signal(number)
    said, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == status
    assert "is removed." in said
    assert "Traceback" not in said


def test_where_an_engine_answers_the_program_runs_in_a_container(lab: Lab) -> None:
    """On a lab's host, by a normal user: only there does an engine see the demo's folders."""
    host = lab["apollo"]
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    if host.run(["python3", "-c", same]).returncode != 0:
        pytest.skip("the packages in .venv are for another Python than the system's")
    place = f"{host.home}/igor"
    install(host, place)
    environment = ["IGOR_DEMO_IMAGE=igor-base:latest"]
    demo = host.run(
        ["env", "-C", place, *environment, ".venv/bin/python", "-m", "tests.demo"], timeout=SECONDS
    )
    said = demo.stdout + demo.stderr
    assert demo.returncode == 0, said
    assert '"runtime": "docker", because a docker engine answers here' in demo.stdout
    assert "in /workspace; 1001 lines in results/" in demo.stdout
    assert "image up to date" in said
    assert "all equal to the local ones" in demo.stdout
    assert host.docker("ps", "--all", "--quiet", "--filter", "name=pendulum").stdout == ""
    assert host.docker("images", "--quiet", "igor-lab-pendulum").stdout == ""
    assert host.run(["sh", "-c", "ls -d /tmp/igor-demo-*"]).stdout == ""


def install(host: Host, place: str) -> None:
    """Igor and the packages that it needs, at a path in the host."""
    folder = Path(host.path(place))
    for name in ("igor_core", "tests"):
        shutil.copytree(CHECKOUT / name, folder / name, dirs_exist_ok=True)
    tools = ("mypy*", "ruff*", "pip*", "setuptools*", "*pytest*", "__editable__*")
    packages = sysconfig.get_paths()["purelib"]
    # Igor's Pythons don't read PYTHONPATH.
    os.chown(folder, host.uid, host.uid)
    host.run(["python3", "-m", "venv", "--without-pip", f"{place}/.venv"], check=True)
    (site,) = folder.glob(".venv/lib/python3*/site-packages")
    ignore = shutil.ignore_patterns(*tools)
    shutil.copytree(packages, site, ignore=ignore, dirs_exist_ok=True)


class Screen:
    """The demo in a terminal of tmux."""

    def __init__(self, tmux: list[str]) -> None:
        self._tmux = tmux
        size = ["-x", "130", "-y", "40"]
        command = f"cd {shlex.quote(str(CHECKOUT))}; DOCKER_HOST={NO_DOCKER} {shlex.join(DEMO)}"
        self._run("new-session", "-d", *size, f"{command}; echo ended with $?; cat")

    def keys(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def text(self) -> str:
        return self._run("capture-pane", "-p")

    def wait(self, text: str, seconds: float = SECONDS) -> None:
        self.wait_for(text, lambda screen: text in screen, seconds)

    def wait_for(self, what: str, holds: Callable[[str], bool], seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds(self.text()):
            assert time.monotonic() < deadline, f"no {what!r} on\n{self.text()}"
            time.sleep(0.1)

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [*self._tmux, *arguments], capture_output=True, text=True, check=True
        ).stdout


def test_with_a_terminal_neovim_opens_on_the_project_beside_a_guide(
    tmux: list[str], home: Path
) -> None:
    require_peer("rsync", "git", "nvim 0.12")
    screen = Screen(tmux)
    screen.wait("igor's demo")
    screen.wait("def main() -> None:")
    screen.keys(" ", "i", "p")
    screen.wait_for("a push to both", lambda text: text.count("8 files sent") == 2)
    screen.keys(":IgorExec python3 simulate.py", "Enter")
    screen.wait_for("output of both", lambda text: text.count("10 s in 1001 steps") == 2)
    screen.keys(":help igor", "Enter")
    screen.wait("igor-contents")
    screen.keys(":qa", "Enter")
    screen.wait("ended with 0")
    for folder in ("state", "config", "cache", "data"):
        assert list((home / folder).iterdir()) == []


def test_ended_from_outside_it_ends_neovim_and_cleans_up(tmux: list[str], home: Path) -> None:
    require_peer("rsync", "git", "nvim 0.12")
    screen = Screen(tmux)
    screen.wait("igor's demo")
    screen.keys(" ", "i", "p")
    screen.wait("8 files sent")
    (demo,) = [n for n, command in processes_of(home).items() if command.endswith("-m tests.demo ")]
    os.kill(demo, signal.SIGTERM)
    screen.wait("ended with 143")
