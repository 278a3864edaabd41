"""REPLs that stay: left, cut off, attached again, ended; with real tmux on real hosts."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from igor_core.config.project import CONFIG_FILE
from tests.lab import Host, HostPlan, Lab
from tests.lab.required import require_peer
from tests.support.agent_client import kill_agent, project_without_containers, wait_until
from tests.support.cli_process import igor
from tests.support.repls import Repl
from tests.support.sample_project import SampleProject

PROMPT = "$ "
WORDS = ("bash", "--norc")


@pytest.fixture(autouse=True)
def _tmux() -> None:
    require_peer("tmux")


@pytest.fixture
def plain(ssh_home: Path, plain_host: Host) -> Path:
    """A project whose REPLs stay on the host itself."""
    return persistent(ssh_home, plain_host)


def persistent(home: Path, host: Host) -> Path:
    root = project_without_containers(home / "here" / f"p{home.name[-6:]}", host.name)
    config: dict[str, Any] = json.loads((root / CONFIG_FILE).read_text())
    (root / CONFIG_FILE).write_text(json.dumps({**config, "repl_persist": True}))
    return root


def start(root: Path) -> Repl:
    repl = Repl(root, *WORDS)
    repl.wait_for(PROMPT)
    return repl


def test_what_was_left_is_there_again_until_it_is_ended(plain: Path, plain_host: Host) -> None:
    repl = start(plain)
    assert b"to end it: exit in it, or igor docker repl --end bash --norc" in repl.screen
    repl.say("echo $(stty size) $TERM; kept=4; sleep 72001 &", "30 100 screen-256color")
    repl.type("\x1cd")
    assert repl.end() == 0
    again = Repl(plain, *WORDS)
    again.wait_for("attaching to the running session")
    again.wait_for(PROMPT)
    again.say("echo is $((kept+1))", "is 5")
    ended = igor("docker", "repl", "--end", *WORDS, cwd=plain)
    assert ended.returncode == 0, ended.stderr
    assert b"has ended" in ended.stdout + ended.stderr
    again.end()
    assert plain_host.run(["pgrep", "-f", "^sleep 72001"]).returncode == 1
    nothing = igor("docker", "repl", "--end", *WORDS, cwd=plain)
    assert (nothing.returncode, b"does not run" in nothing.stderr) == (0, True)


def test_it_survives_a_killed_client_and_a_killed_agent(plain: Path) -> None:
    repl = start(plain)
    repl.say("kept=6; echo u''p", "up")
    repl.kill(signal.SIGKILL)
    repl = start(plain)
    repl.say("echo is $((kept+1)); kept=7", "is 7")
    kill_agent()
    repl.wait_for("r starts again")
    repl.screen = b""
    repl.type("r")
    repl.wait_for(PROMPT)
    repl.say("echo is $((kept+1))", "is 8")
    repl.type("exit\r")
    assert repl.end() == 0
    assert b"does not run" in igor("docker", "repl", "--end", *WORDS, cwd=plain).stderr


def test_in_a_container_its_programs_end_with_it(ssh_home: Path, lab: Lab) -> None:
    project = SampleProject(ssh_home / "stays", [lab["apollo"]])
    project.write("dockerfile", "FROM igor-base:latest\n")
    project.configure(
        docker_rebuild_files=[], docker_run_args=["--network=host"], repl_persist=True
    )
    repl = start(project.root)
    repl.say("(trap '' HUP; sleep 72002) & echo $(stty size) $TERM", "30 100 screen-256color")
    repl.kill(signal.SIGKILL)
    time.sleep(1)
    assert "sleep 72002" in _inside(lab)
    assert igor("docker", "repl", "--end", *WORDS, cwd=project.root).returncode == 0
    assert "sleep 72002" not in _inside(lab)

    start(project.root).say("(trap '' HUP; sleep 72003) & echo u''p", "up")
    lab["apollo"].run(["tmux", "-L", "igor", "kill-server"], check=True)
    assert "sleep 72003" in _inside(lab)
    start(project.root)
    wait_until(lambda: "sleep 72003" not in _inside(lab))
    igor("docker", "repl", "--end", *WORDS, cwd=project.root)


def _inside(lab: Lab) -> str:
    return lab["apollo"].docker("top", "dino-stays-dev", "-o", "pid,args").stdout


def test_it_survives_a_cut_cable(plain: Path, plain_host: Host) -> None:
    repl = start(plain)
    repl.say("kept=8; echo u''p", "up")
    plain_host.cut()
    deadline = time.monotonic() + 45
    while b"r starts again" not in repl.screen and time.monotonic() < deadline:
        repl.read_for(1)
    plain_host.mend()
    repl.screen = b""
    repl.type("r")
    repl.wait_for(PROMPT)
    repl.say("echo is $((kept+1))", "is 9")
    igor("docker", "repl", "--end", *WORDS, cwd=plain)


def test_a_host_without_tmux_says_so(ssh_home: Path, lab: Lab) -> None:
    host = lab.add(HostPlan("tmuxless", docker=False))
    host.path("/usr/bin/tmux").unlink(missing_ok=True)
    repl = Repl(persistent(ssh_home, host), *WORDS)
    assert repl.end() == 255
    assert b'tmuxless has no tmux, in which "repl_persist" keeps a REPL' in repl.screen
