"""REPLs on real hosts, driven as a person does: keys in, screen out, and no orphans."""

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import (
    agent_pid,
    kill_agent,
    memory_mb,
    project_without_containers,
    wait_until,
)
from tests.support.cli_process import igor
from tests.support.repls import Repl
from tests.support.sample_project import SampleProject

PROMPT = "$ "
LOST = "was lost; r starts again, q leaves"
_numbers = itertools.count(71001)


@pytest.fixture
def number() -> str:
    """For a project, and a `sleep`, that no other test has."""
    return str(next(_numbers))


@pytest.fixture
def project(ssh_home: Path, lab: Lab, number: str) -> SampleProject:
    """A project with a container on apollo, from the base image."""
    project = SampleProject(ssh_home / f"p{number}", [lab["apollo"]])
    project.write("dockerfile", "FROM igor-base:latest\n")
    project.configure(docker_rebuild_files=[], docker_run_args=["--network=host"])
    return project


@pytest.fixture
def plain(ssh_home: Path, plain_host: Host, number: str) -> Path:
    """A project whose REPLs run on the host itself."""
    return project_without_containers(ssh_home / number / "project", plain_host.name)


def bash(root: Path) -> Repl:
    repl = Repl(root, "bash", "--norc")
    repl.wait_for(PROMPT)
    return repl


# -- in a container


def test_the_terminal_is_right_from_the_first_byte(project: SampleProject) -> None:
    repl = Repl(project.root, "stty size; locale charmap; echo $TERM $COLORTERM; pwd; exit 7")
    assert repl.end() == 7
    words = b"30 100 UTF-8 xterm truecolor /workspace".split()
    assert repl.screen.split()[-len(words) :] == words
    assert repl.modes_after == repl.modes_before


def test_a_locale_that_the_image_does_not_have_becomes_utf_8(project: SampleProject) -> None:
    repl = Repl(project.root, "locale; printf é | wc -m", LC_ALL="tlh_QO.UTF-8", LANG="xx_YY")
    assert repl.end() == 0
    assert b"LANG=C.UTF-8\r\n" in repl.screen
    assert b"annot" not in repl.screen
    assert repl.screen.endswith(b"\r\n1\r\n")


def test_all_keys_are_the_program_s(project: SampleProject) -> None:
    repl = Repl(project.root, "stty raw -echo; echo up; dd bs=1 count=8 2>/dev/null | od -An -tx1")
    repl.wait_for("up")
    repl.type("\x10\x11\x03\x1a\x04\x1c\x00x")
    repl.wait_for("10 11 03 1a 04 1c 00 78")
    assert repl.end() == 0


def test_a_shell_has_job_control_paste_and_unicode(project: SampleProject, number: str) -> None:
    repl = bash(project.root)
    repl.type(f"sleep {number}\r")
    time.sleep(0.5)
    repl.type("\x1a")
    repl.wait_for("Stopped")
    repl.say("fg", f"sleep {number}\r\n")
    time.sleep(0.3)
    repl.type("\x03")
    repl.say("echo status $?", "status 130")
    repl.type("\x1b[200~echo o''ne\necho t''wo\x1b[201~")
    time.sleep(0.3)
    assert b"one" not in repl.screen
    repl.type("\r")
    repl.wait_for("one\r\ntwo\r\n")
    # A shell that reads its next line says so; the terminal itself would keep what comes before.
    repl.say("printf '%s' ü | od -An -tx1", "c3 bc\r\n\x1b[?2004h")
    repl.type("\x04")
    assert repl.end() == 0


def test_the_window_may_change(project: SampleProject) -> None:
    repl = bash(project.root)
    repl.say("trap 'stty size' WINCH; echo rea''dy", "ready")
    repl.resize(132, 50)
    repl.type("\r")
    repl.wait_for("50 132")


def test_without_a_command_it_is_the_container_s_python(project: SampleProject) -> None:
    config = project.root / ".igor/config.json"
    config.write_text(config.read_text().replace('"repl_cmd": "ipython",', ""))
    repl = Repl(project.root)
    repl.wait_for(">>> ")
    assert b"runs /usr/bin/python3" in repl.screen
    repl.say("import sys; sys.stdout.isatty(), 6 * 7", "(True, 42)\r\n>>> ")
    repl.type("\x04")
    assert repl.end() == 0


def test_what_is_beside_the_project_s_python_is_found_and_what_is_not_there_named(
    project: SampleProject,
) -> None:
    project.write("dockerfile", "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools\n")
    repl = Repl(project.root)
    repl.wait_for("An enhanced Interactive Python")
    repl.wait_for("\x1b[?2004h")
    repl.type("exit\r")
    assert repl.end() == 0
    config = project.root / ".igor/config.json"
    config.write_text(config.read_text().replace('"ipython"', '"ghci -v0"'))
    repl = Repl(project.root)
    assert repl.end() == 127
    said = "igor: there is no ghci here, on the PATH or beside the project's Python\r\n"
    assert repl.screen.endswith(said.encode())


def test_the_container_that_ends_takes_the_repl_with_it(project: SampleProject, lab: Lab) -> None:
    repl = bash(project.root)
    lab["apollo"].docker("kill", f"dino-{project.root.name}-dev")
    assert repl.end() == 255
    assert b"the container on apollo ended" in repl.screen


# -- its end


def close_window(repl: Repl) -> None:
    repl.close_window()


def kill(repl: Repl) -> None:
    os.kill(repl.pid, signal.SIGKILL)


def terminate(repl: Repl) -> None:
    os.kill(repl.pid, signal.SIGTERM)


def kill_the_agent(_repl: Repl) -> None:
    kill_agent()


WAYS: list[Callable[[Repl], None]] = [close_window, kill, terminate, kill_the_agent]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_in_the_container(
    project: SampleProject, lab: Lab, number: str, way: Callable[[Repl], None]
) -> None:
    name = f"dino-p{number}-dev"
    repl = bash(project.root)
    repl.say(f"sleep {number} & (trap '' HUP INT; sleep {number}1) & echo u''p", "up")
    repl.type(f"sleep {number}2\r")
    wait_until(lambda: _inside(lab, name).count("sleep 7") == 3)
    way(repl)
    wait_until(lambda: _inside(lab, name) == "", 15)


def test_a_cut_cable_leaves_nothing_behind_and_r_starts_again(
    project: SampleProject, lab: Lab, number: str
) -> None:
    repl = bash(project.root)
    repl.say(f"sleep {number} & echo u''p", "up")
    lab["apollo"].cut()
    start = time.monotonic()
    wait_until(lambda: _inside(lab, f"dino-p{number}-dev") == "", 45)
    while time.monotonic() - start < 45 and LOST.encode() not in repl.screen:
        repl.read_for(1)
    assert f"igor: the connection to apollo {LOST}".encode() in repl.screen
    lab["apollo"].mend()
    repl.screen = b""
    repl.type("r")
    repl.wait_for(PROMPT)
    repl.type("exit 3\r")
    assert repl.end() == 3


def _inside(lab: Lab, container: str) -> str:
    """The programs in the container, without what keeps it running."""
    done = lab["apollo"].docker("top", container, "-o", "pid,args")
    assert done.returncode == 0, done.stderr
    rows = [line.split(None, 1)[1] for line in done.stdout.splitlines()[1:]]
    return "\n".join(row for row in rows if "2147483647" not in row)


# -- on a host itself


def test_on_a_host_without_containers_it_runs_in_the_project_s_folder(plain: Path) -> None:
    repl = Repl(plain, "stty size; pwd; test -t 0 && exit 5")
    assert repl.end() == 5
    assert repl.screen.split()[-3:-1] == [b"30", b"100"]
    assert repl.screen.endswith(b"/project\r\n")


def test_the_config_s_command_is_split_as_by_a_shell(plain: Path) -> None:
    config = plain / ".igor/config.json"
    config.write_text(
        config.read_text().replace("{", """{"repl_cmd": "printf '<%s>' 'a b' c", """, 1)
    )
    repl = Repl(plain)
    assert repl.end() == 0
    assert repl.screen.endswith(b"<a b><c>")


def test_much_output_neither_stalls_nor_fills_the_memory_and_ctrl_c_gets_through(
    plain: Path,
) -> None:
    repl = bash(plain)
    start = time.monotonic()
    repl.type("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo do''ne\r")
    repl.pass_over(b"done\r\n")
    assert time.monotonic() - start < 30
    repl.say("yes", "y\r\ny\r\n")
    time.sleep(2)
    assert memory_mb(agent_pid()) < 120
    assert memory_mb(repl.pid) < 60
    start = time.monotonic()
    repl.type("\x03")
    repl.see("^C")
    repl.say("echo $((6*7))", "42")
    assert time.monotonic() - start < 5


def test_a_terminal_that_nobody_reads_stops_its_own_program_only(plain: Path) -> None:
    stuck = bash(plain)
    stuck.say("yes", "y\r\ny\r\n")
    time.sleep(1)
    other = bash(plain)
    other.say("echo $((6*7))", "42")
    before = memory_mb(agent_pid())
    time.sleep(1)
    assert memory_mb(agent_pid()) - before < 5


def test_a_lost_connection_is_one_line_below_a_terminal_that_works(plain: Path) -> None:
    repl = bash(plain)
    repl.say("printf '\\e[?1049h\\e[?1000;1006h\\e[?25lre''ady'", "ready")
    repl.screen = b""
    kill_agent()
    repl.wait_for(LOST)
    undone = (b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1006l", b"\x1b[?1049l")
    assert all(part in repl.screen for part in undone)
    assert repl.screen.count(b"igor:") == 1
    repl.type("rx")
    repl.see(PROMPT)
    kill_agent()
    repl.see(LOST)
    repl.type("q")
    assert repl.end() == 255
    assert repl.modes_after == repl.modes_before


def test_a_program_that_is_not_there_says_so(plain: Path) -> None:
    repl = Repl(plain, "no-such-program")
    assert repl.end() == 127
    assert b"there is no no-such-program here" in repl.screen


def test_sigterm_gives_the_terminal_back(plain: Path, plain_host: Host, number: str) -> None:
    repl = bash(plain)
    repl.say(f"sleep {number} & echo u''p", "up")
    repl.kill(signal.SIGTERM)
    assert repl.end() == 130
    assert repl.modes_after == repl.modes_before
    wait_until(lambda: plain_host.run(["pgrep", "-f", f"^sleep {number}"]).returncode == 1)


def test_a_stopped_igor_that_goes_on_is_raw_again(plain: Path) -> None:
    repl = bash(plain)
    raw = repl.modes
    repl.kill(signal.SIGTSTP)
    repl.kill(signal.SIGSTOP)
    repl.set_modes(repl.modes_before)
    repl.kill(signal.SIGCONT)
    repl.say("echo $((6*7))", "42")
    assert repl.modes == raw


def test_a_host_without_python_has_terminals_too(ssh_home: Path, pythonless_host: Host) -> None:
    root = project_without_containers(ssh_home / "here" / "project", pythonless_host.name)
    repl = Repl(root, "stty size; read line; echo got $line; exit 4")
    repl.wait_for("30 100")
    repl.type("ü\r")
    assert repl.end() == 4
    assert "got ü\r\n".encode() in repl.screen


# -- what is refused


def test_several_hosts_are_one_too_many(ssh_home: Path, lab: Lab) -> None:
    root = project_without_containers(ssh_home / "project", "apollo", "enterprise")
    repl = Repl(root, "bash")
    assert repl.end() == 2
    assert b"has apollo, enterprise" in repl.screen
    assert b"--host apollo" in repl.screen


def test_without_a_terminal_exec_is_the_remedy(tmp_path: Path) -> None:
    done = igor("docker", "repl", "bash", cwd=tmp_path, input=b"")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "igor: igor docker repl needs a terminal for its input and output\n"
        "  without one: igor docker exec CMD…\n"
    )


def test_a_command_that_no_shell_understands_is_named(plain: Path) -> None:
    config = plain / ".igor/config.json"
    config.write_text(config.read_text().replace("{", """{"repl_cmd": "a 'b", """, 1))
    repl = Repl(plain)
    assert repl.end() == 2
    assert b'repl_cmd: No closing quotation; found "a \'b"' in repl.screen
