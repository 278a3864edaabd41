"""The command line with the real agent, and with a real host where one is there."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from igor_core import directories
from igor_core.config.project import CONFIG_FILE
from tests.lab import Host
from tests.support.cli_process import igor, start


@pytest.fixture
def project(home: Path) -> Path:
    """A git project for the plain host, without containers."""
    folder = home / "project"
    (folder / ".igor").mkdir(parents=True)
    hosts = [{"host": "plain", "dir": f"~/{home.name}"}]
    config = {"runtime": "none", "host_groups": {"dev": {"hosts": hosts}}}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    (folder / "hello.py").write_text("print('hello from the host')\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def test_the_agent_starts_on_demand_tells_about_itself_and_stops(project: Path) -> None:
    assert b"trusted" in igor("trust", cwd=project).stderr
    status = igor("agent", "status")
    assert status.returncode == 0
    assert str(directories.socket_path()) in status.stdout.decode()
    assert b"trust" in igor("jobs").stdout
    unknown = igor("cancel", "99")
    assert (unknown.returncode, b"no job 99" in unknown.stderr) == (2, True)
    assert igor("agent", "stop").stdout == b"the agent has ended\n"
    assert igor("agent", "status").returncode == 1
    assert b"listens on" in igor("agent", "log").stdout


def test_a_mistake_in_the_config_is_told_by_the_agent_with_its_place(project: Path) -> None:
    (project / CONFIG_FILE).write_text('{\n"host_grups": {}\n}')
    done = igor("push", cwd=project)
    assert done.returncode == 2
    assert f"igor: {project / CONFIG_FILE}:" in done.stderr.decode()
    assert "did you mean 'host_groups'?" in done.stderr.decode()


@pytest.fixture
def there(plain_host: Host, ssh_home: Path, project: Path) -> Path:
    """The project, with its host within reach."""
    return project


def test_exec_pushes_runs_and_passes_bytes_and_status_unchanged(there: Path) -> None:
    done = igor("docker", "exec", "python3", "hello.py", cwd=there)
    assert done.stdout == b"hello from the host\n", done.stderr
    assert done.returncode == 0
    data = bytes(range(256)) * 12_000
    done = igor("docker", "exec", "cat; echo end >&2; exit 7", cwd=there, input=data)
    assert done.stdout == data
    assert done.returncode == 7
    assert done.stderr.splitlines()[0] == b"end"


def test_ctrl_c_ends_what_runs_on_the_host(there: Path) -> None:
    process = start("docker", "exec", "echo ready; exec sleep 1234", cwd=there)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _out, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    left = igor("docker", "exec", "--no-push", "pgrep -u $(id -u) -x sleep", cwd=there)
    assert left.returncode == 1, left.stdout


def test_an_unknown_host_is_one_line_and_status_255_for_exec(there: Path) -> None:
    config = json.loads((there / CONFIG_FILE).read_text())
    config["host_groups"]["dev"]["hosts"][0]["host"] = "nowhere.invalid"
    (there / CONFIG_FILE).write_text(json.dumps(config))
    done = igor("docker", "exec", "true", cwd=there)
    assert done.returncode == 255
    assert b"nowhere.invalid" in done.stderr
    assert igor("push", cwd=there).returncode == 1
