"""Fixtures for every test: a private home, and the real peers, started once and reset after use.

A peer that is absent skips the tests that need it, and is listed at the end. With
`IGOR_REQUIRE_PEERS=1` it fails them, and the session.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Host, HostPlan, Lab, LabError
from tests.lab.cache import cache_folder, neovim
from tests.lab.peers import LAB, PLUGINS, PLUGINS_REMEDY, absent, plugin
from tests.lab.required import do_without, peers_are_required, require_peer
from tests.support.scheduling import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]

#: Set for everything that a test starts, so that processes it leaves behind can be found.
MARK = "IGOR_TEST_HOME"

#: Variables of the user's own session that must not reach a test.
FOREIGN = ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "TMUX", "NVIM", "DOCKER_HOST", "CONTAINER_HOST")

GIT_CONFIG = """\
[user]
    name = Igor Test
    email = test@igor.invalid
[init]
    defaultBranch = main
"""

_running: list[Lab] = []
_last_file: dict[Lab, Path] = {}


#: Signals that a parent may ignore or block for its children: `make test &` in a script ignores
#: SIGINT and SIGQUIT, nohup SIGHUP, some CI runners others.
INHERITED = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1,
    signal.SIGUSR2, signal.SIGALRM, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH,
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    # Tests have other homes, but share the cache.
    os.environ["IGOR_CACHE"] = str(cache_folder())
    _restore_signals()


def _restore_signals() -> None:
    """Give the tests, and the programs that they start, the default signal dispositions."""
    for number in INHERITED:
        if signal.getsignal(number) is signal.SIG_IGN:
            is_interrupt = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if peers_are_required() and absent() and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for peer in absent():
        terminalreporter.write_line(f"absent peer: {peer.name} ({peer.remedy})")
    missing = [name for name in PLUGINS if plugin(name) is None]
    if missing:
        terminalreporter.write_line(f"absent plugins: {', '.join(missing)} ({PLUGINS_REMEDY})")
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.write_line(f"rerun: {report.nodeid} ({_reason(report)})")


def _reason(report: pytest.TestReport) -> str:
    """Return the first line of the failure, and its location."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return (report.longreprtext.splitlines() or ["no reason is known"])[-1]
    return f"{os.path.relpath(crash.path)}:{crash.lineno}: {crash.message.splitlines()[0]}"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Create a home with XDG folders in it; its path is short enough for unix sockets.

    What the test started and left running is ended with it.
    """
    folder = Path(tempfile.mkdtemp(prefix="igor-", dir="/tmp"))
    for variable, name in (
        ("XDG_STATE_HOME", "state"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    ):
        (folder / name).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(folder / name))
    for variable in FOREIGN:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv(MARK, str(folder))
    (folder / ".gitconfig").write_text(GIT_CONFIG)
    yield folder
    _end_what_is_left(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _end_what_is_left(folder: Path) -> None:
    mark = f"{MARK}={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue  # another user's, or ended meanwhile


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Two hosts with docker, apollo and enterprise; `lab.add(...)` starts others when needed."""
    require_peer(*LAB)
    lab = Lab(hosts=2)
    try:
        lab.__enter__()
    except LabError as error:
        do_without(f"the lab does not start: {error}")
    _running.append(lab)
    yield lab
    _running.remove(lab)
    lab.close()


@pytest.fixture(autouse=True)
def _healed_lab(request: pytest.FixtureRequest) -> Iterator[None]:
    """Repair after each test what it broke; reset the hosts before each file."""
    if "lab" in request.fixturenames:
        lab: Lab = request.getfixturevalue("lab")
        if _last_file.get(lab) != request.path:
            for host in lab.hosts:
                host.reset()
            _last_file[lab] = request.path
    yield
    for lab in _running:
        lab.heal()


@pytest.fixture
def ssh_home(lab: Lab, home: Path) -> Path:
    """Give the test's home a ~/.ssh/config that knows the lab's hosts."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    (folder / "config").write_text(f"Include {lab.ssh_config}\n")
    return home


@pytest.fixture(scope="session")
def plain_host(lab: Lab) -> Host:
    """A host without docker, for `"runtime": "none"` and podman."""
    return lab.add(HostPlan("plain", docker=False))


@pytest.fixture(scope="session")
def pythonless_host(lab: Lab) -> Host:
    """A host with neither python3 nor docker."""
    return lab.add(HostPlan("pythonless", docker=False, python=False))


@pytest.fixture(scope="session")
def podman_host(plain_host: Host) -> Host:
    """Give the plain host's rootless podman the image igor-base:latest."""
    require_peer("podman")
    plain_host.import_base_to_podman()
    return plain_host


@pytest.fixture(params=["0.10", "0.12"])
def nvim(request: pytest.FixtureRequest) -> Path:
    """The Neovim to start; a test that uses it runs for each version that igor supports."""
    require_peer(f"nvim {request.param}")
    return neovim(request.param)


@pytest.fixture
def tmux(home: Path) -> Iterator[list[str]]:
    """The start of a tmux command line, for a server of this test alone."""
    require_peer("tmux")
    command = ["tmux", "-S", str(home / "run" / "tmux"), "-f", "/dev/null"]
    yield command
    subprocess.run([*command, "kill-server"], capture_output=True, check=False)
