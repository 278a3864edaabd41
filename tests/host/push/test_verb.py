"""`igor push` from a terminal to real hosts, through the agent."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from igor_core.agent.client import connect
from igor_core.directories import pid_path
from tests.lab import Host, Lab
from tests.support.cli_process import igor, start
from tests.support.push_project import Project
from tests.support.pushing import entries
from tests.support.waiting import wait_until

MEGABYTE = 1_000_000


@pytest.fixture
def project(lab: Lab, ssh_home: Path, tmp_path: Path) -> Project:
    return Project(tmp_path / "project", lab["apollo"], lab["enterprise"])


def agent_pid() -> int:
    return int(pid_path().read_text())


def peak_memory(pid: int) -> int:
    """Return the peak memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_a_push_goes_to_all_hosts_and_says_what_it_did(project: Project) -> None:
    project.write("a.py", "print(1)")
    done = project.push()
    assert done.returncode == 0, done
    for host in project.hosts:
        assert entries(project.there(host)) == entries(project.root)
        assert f"{host.name}: push to {host.home}/dev/project" in done.stdout + done.stderr
        assert "2 files sent (" in done.stdout + done.stderr
    again = project.push()
    assert again.returncode == 0
    assert (again.stdout + again.stderr).count("nothing to send, 2 unchanged") == 2


def test_a_file_held_back_is_named_and_fails_the_push(project: Project) -> None:
    project.write("a.py", "one")
    project.push()
    (project.there(project.hosts[0]) / "a.py").write_text("mine")
    project.write("a.py", "two")
    project.write("b.py", "two")
    done = project.push()
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "1 file held back: a.py (changed on the host)" in said
    assert "igor push --force" in said
    assert (project.there(project.hosts[0]) / "a.py").read_text() == "mine"
    assert (project.there(project.hosts[1]) / "a.py").read_text() == "two"
    assert project.push("--force").returncode == 0
    assert (project.there(project.hosts[0]) / "a.py").read_text() == "two"


def test_a_dry_run_lists_what_it_would_do(project: Project) -> None:
    project.write("old", "one")
    project.push("--host", "apollo")
    (project.root / "old").unlink()
    project.write("new\nline", "two")
    done = project.push("--dry-run", "--host", "apollo")
    assert done.returncode == 0
    assert "send new\\nline\n" in done.stdout
    assert "delete old\n" in done.stdout
    assert "1 file would be sent (3 B), 1 file would be deleted" in done.stdout + done.stderr
    assert sorted(path.name for path in project.there(project.hosts[0]).iterdir()) == [
        ".igor", "old",
    ]  # fmt: skip


def test_many_deletes_need_a_person_or_the_option(project: Project) -> None:
    for number in range(60):
        project.write(f"f{number}")
    project.push()
    for number in range(60):
        (project.root / f"f{number}").unlink()
    done = project.push()
    assert done.returncode == 1
    assert "would delete 60 of the 61 files pushed before" in done.stdout + done.stderr
    assert "igor push --allow-deletes" in done.stdout + done.stderr
    assert project.push("--allow-deletes").returncode == 0
    assert [path.name for path in project.there(project.hosts[0]).iterdir()] == [".igor"]


def test_two_groups_with_one_folder_share_what_igor_knows(
    lab: Lab, ssh_home: Path, tmp_path: Path
) -> None:
    apollo = lab["apollo"]
    entry = {"host": "apollo", "dir": f"{apollo.home}/dev/../dev/"}
    project = Project(tmp_path / "project", apollo, groups={"other": {"hosts": [entry]}})
    project.write("a", "one")
    assert project.push().returncode == 0
    project.write("a", "two")
    assert "1 file sent" in "".join(project.push("-g", "other").stderr + project.push().stdout)
    assert (project.there(apollo) / "a").read_text() == "two"
    assert project.push().returncode == 0
    assert len(list(Path(os.environ["XDG_STATE_HOME"]).glob("igor/manifests/*.sqlite"))) == 1


def test_what_can_t_be_sent_is_said_once(project: Project) -> None:
    os.mkfifo(project.root / "pipe")
    done = project.push()
    said = done.stdout + done.stderr
    assert done.returncode == 0
    assert said.count("passed over, neither files nor links: pipe") == 1


def test_a_file_that_keeps_changing_is_sent_again_until_it_rests(project: Project) -> None:
    path = project.write("log", os.urandom(30 * MEGABYTE))
    pushing = start("-C", str(project.root), "push", "--host", "apollo")
    temporary = project.hosts[0].path("dev/.igor-host/tmp/project")
    wait_until(lambda: temporary.exists() and any(temporary.iterdir()))
    path.write_text("short now")
    _out, errors = pushing.communicate(timeout=30)
    assert pushing.returncode == 0, errors
    assert (project.there(project.hosts[0]) / "log").read_text() == "short now"


def test_another_clone_is_told_whose_tree_it_is(project: Project, tmp_path: Path) -> None:
    project.write("a", "one")
    project.push()
    other = tmp_path / "other" / "project"
    other.parent.mkdir()
    subprocess.run(["cp", "-r", str(project.root), str(other)], check=True)
    done = igor("-C", str(other), "push")
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert "another clone pushes to " in said
    assert f": root@{os.uname().nodename}:{project.root}" in said
    assert "--take-over" in said
    assert igor("-C", str(other), "push", "--take-over").returncode == 0


# -- the agent's death, and its limits


def test_a_killed_agent_leaves_nothing_half_written_and_the_next_push_heals(
    project: Project,
) -> None:
    project.write("old", "one")
    assert project.push().returncode == 0
    project.write("old", os.urandom(80 * MEGABYTE))
    pushing = start("-C", str(project.root), "push")
    temporary = project.hosts[0].path("dev/.igor-host/tmp/project")
    wait_until(lambda: any(temporary.iterdir()))
    os.kill(agent_pid(), signal.SIGKILL)
    _out, errors = pushing.communicate(timeout=30)
    assert pushing.returncode != 0
    assert b"Traceback" not in errors
    for host in project.hosts:
        assert (project.there(host) / "old").read_bytes() in (
            b"one", (project.root / "old").read_bytes(),
        )  # fmt: skip
    done = project.push()
    assert done.returncode == 0, done
    for host in project.hosts:
        assert entries(project.there(host)) == entries(project.root)
        wait_until(lambda host=host: not host.pids("rsync"))  # type: ignore[misc]


@pytest.mark.parametrize("python", [True, False])
def test_three_hundred_megabytes_pass_through_a_small_agent(
    lab: Lab, ssh_home: Path, tmp_path: Path, pythonless_host: Host, python: bool
) -> None:
    host = lab["apollo"] if python else pythonless_host
    project = Project(tmp_path / "project", host)
    assert project.push().returncode == 0
    before = peak_memory(agent_pid())
    size = 300 * MEGABYTE
    project.write("big", os.urandom(size))
    pushing = start("-C", str(project.root), "push")
    started = time.monotonic()
    slowest = slowest_answer_while(pushing)
    seconds = time.monotonic() - started
    assert pushing.wait(60) == 0
    grown = peak_memory(agent_pid()) - before
    print(
        f"{host.name}: 300 MB in {seconds:.1f} s, {size / seconds / MEGABYTE:.0f} MB/s; the agent "
        f"grew by {grown / MEGABYTE:.0f} MB; its slowest answer took {slowest * 1000:.0f} ms"
    )
    sha = ["sha256sum", "-"]
    with (project.root / "big").open("rb") as here, (project.there(host) / "big").open("rb") as far:
        assert subprocess.check_output(sha, stdin=here) == subprocess.check_output(sha, stdin=far)
    assert grown < 100 * MEGABYTE
    assert slowest < 1.0
    assert "nothing to send" in "".join(project.push().stderr + project.push().stdout)
    host.run(["rm", "-rf", "dev"], check=True)


def slowest_answer_while(pushing: "subprocess.Popen[bytes]") -> float:
    """Return how many seconds the agent took at most to answer another client during a push."""
    slowest = 0.0
    client = connect("test", answers=False)
    while pushing.poll() is None:
        started = time.monotonic()
        client.call("agent-status")
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.01)
    return slowest


def test_twenty_thousand_files(lab: Lab, ssh_home: Path, tmp_path: Path) -> None:
    apollo = lab["apollo"]
    project = Project(tmp_path / "project", apollo)
    for number in range(20_000):
        folder = f"d{number % 100}/e{number % 7}"
        if number < 700:
            (project.root / folder).mkdir(parents=True, exist_ok=True)
        (project.root / folder / f"f{number}").write_bytes(b"%d" % number * 20)
    times = []
    for _push in range(2):
        started = time.monotonic()
        pushing = start("-C", str(project.root), "push")
        slowest = slowest_answer_while(pushing)
        assert pushing.wait(60) == 0
        times.append((time.monotonic() - started, slowest))
    print(
        "20,000 files:",
        *(f"{took:.1f} s (slowest answer {slow * 1000:.0f} ms)" for took, slow in times),
    )
    assert entries(project.there(apollo)) == entries(project.root)
    apollo.run(["rm", "-rf", "dev"], check=True)
