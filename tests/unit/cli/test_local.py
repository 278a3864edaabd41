"""The commands that need no agent, or tell that there is none; and what igor does with a bug."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from igor_core import __version__, directories
from igor_core.config import find_project, schema
from igor_core.config.project import CONFIG_FILE
from tests.support.cli_process import ROOT, Terminal, environment, igor, start
from tests.support.fake_agent import Client, fake_agent

HEAVY = ("asyncio", "asyncssh", "pynvim", "argparse", "dataclasses", "inspect", "json")


def modules_after(*arguments: str) -> set[str]:
    """What the command line has imported when it ends."""
    program = (
        "import sys; from igor_core.cli import main; status = main(sys.argv[1:]);"
        "print(*sys.modules, sep='\\n'); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    return set(done.stdout.splitlines())


def test_a_push_imports_nothing_that_is_slow_to_import() -> None:
    with fake_agent(lambda client: client.finish()):
        modules = modules_after("push")
    assert "igor_core.cli.session" in modules
    assert modules.isdisjoint(HEAVY)


def test_help_names_every_command_and_its_options() -> None:
    done = igor("--help")
    assert "igor docker exec [options] CMD…" in done.stdout.decode()
    assert "__complete" not in done.stdout.decode()
    done = igor("docker", "exec", "--help")
    assert "-g GROUP, --host-group GROUP, --host_group GROUP" in done.stdout.decode()
    assert "--no-push" in done.stdout.decode()
    assert "docker build" not in igor("config", "--help").stdout.decode()
    assert igor("--version").stdout == f"igor {__version__}\n".encode()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = igor("-C", "nowhere", "push", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, b"igor: nowhere is not a folder\n")


def test_config_check_names_all_mistakes_with_status_2(tmp_path: Path) -> None:
    file = tmp_path / CONFIG_FILE
    file.parent.mkdir()
    file.write_text('{\n"usr": "dino",\n"host_groups": {"dev": {"hosts": []}}\n}')
    done = igor("config", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert [f"{file}:{line}:" in done.stderr.decode() for line in (2, 3)] == [True, True]
    in_json = json.loads(igor("config", "check", "--json", str(file), cwd=tmp_path).stdout)
    assert [problem["line"] for problem in in_json["data"]] == [2, 3]
    assert in_json["status"] == 2


def test_config_check_says_that_a_config_is_fine(tmp_path: Path) -> None:
    hosts = {"host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}}
    (tmp_path / "other.json").write_text(json.dumps(hosts))
    done = igor("config", "check", "other.json", cwd=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{tmp_path}/other.json is fine\n")


def test_config_schema_prints_the_schema() -> None:
    assert json.loads(igor("config", "schema").stdout) == schema()


def test_init_takes_flags_and_never_writes_over_a_config(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    flags = ["--user", "dino", "--host", "apollo:/data/a", "--host", "fe80::1:~/b"]
    done = igor("init", *flags, "--group", "lab", "--repl-cmd", "ipython", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"wrote {tmp_path / CONFIG_FILE}" in done.stdout.decode()
    config = find_project(tmp_path).config
    assert (config.user, config.repl_cmd, config.dockerfile) == ("dino", "ipython", "Dockerfile")
    assert [(h.host, h.dir) for h in config.group("lab").hosts] == [
        ("apollo", "/data/a"),
        ("fe80::1", "~/b"),
    ]
    before = (tmp_path / CONFIG_FILE).read_bytes()
    again = igor("init", "--host", "x:/y", cwd=tmp_path)
    assert again.returncode == 2
    assert b"exists already" in again.stderr
    assert (tmp_path / CONFIG_FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "which hosts? None is named"),
        (["--host", "apollo"], "--host apollo: expected HOST:DIR"),
        (["--host", "-oProxyCommand=x:/data"], "must not start with '-'"),
    ],
)
def test_init_without_usable_hosts_writes_nothing(
    flags: list[str], message: str, tmp_path: Path
) -> None:
    done = igor("init", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert not (tmp_path / CONFIG_FILE).exists()


def test_init_asks_on_a_terminal_until_the_answers_are_right(tmp_path: Path, home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text("Host apollo enterprise\n")
    terminal = Terminal("init", cwd=tmp_path)
    terminal.wait_for("found: apollo, enterprise")
    terminal.wait_for("[apollo]: ")
    terminal.type("-bad\n")
    terminal.wait_for("must not start with '-'")
    terminal.type("apollo, enterprise\n")
    terminal.wait_for("[~/igor]: ")
    terminal.type("/data/dev\n")
    terminal.wait_for("[none]: ")
    terminal.type("\n")
    terminal.wait_for("REPL")
    terminal.type("ipython\n")
    assert terminal.end() == 0
    config = find_project(tmp_path).config
    assert [(h.host, h.dir) for h in config.group().hosts] == [
        ("apollo", "/data/dev"),
        ("enterprise", "/data/dev"),
    ]
    assert config.repl_cmd == "ipython"


def test_ctrl_d_leaves_init_without_a_file(tmp_path: Path) -> None:
    terminal = Terminal("init", cwd=tmp_path)
    terminal.wait_for("Hosts")
    terminal.type("\x04")
    assert terminal.end() == 130
    assert not (tmp_path / CONFIG_FILE).exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["agent", "status"], 1, "no agent is running"),
        (["agent", "stop"], 0, "no agent is running"),
        (["jobs"], 0, "no jobs: no agent is running"),
        (["cancel", "3"], 1, "there is no job 3: no agent is running"),
        (["cancel", "x"], 2, "'x' is not the number of a job"),
        (["agent", "log"], 0, ""),
    ],
)
def test_asking_about_an_agent_does_not_start_one(words: list[str], status: int, said: str) -> None:
    done = igor(*words)
    assert done.returncode == status
    assert said in (done.stdout + done.stderr).decode()
    assert not directories.socket_path().exists()


def test_jobs_are_a_table() -> None:
    first = {"job": 1, "verb": "push", "root": "/p", "client": "cli", "seconds": 3.0}

    def script(client: Client) -> None:
        running = {**first, "running": True, "status": None}
        ended = {**first, "job": 12, "verb": "exec", "running": False, "status": 3}
        client.finish(data=[running, ended])

    with fake_agent(script):
        done = igor("jobs")
    assert done.stdout.decode().splitlines() == [
        "job  verb  state          time   client  project",
        "1    push  running        3.0 s  cli     /p",
        "12   exec  exit status 3  3.0 s  cli     /p",
    ]


def test_status_is_a_table_with_what_is_held_back() -> None:
    apollo = {"host": "apollo", "dir": "/data", "connection": "connected", "error": ""}
    apollo |= {"state": "fresh", "since": None}
    apollo |= {"files": 12, "pending": 0, "last_push": time.time() - 65, "held_back": ["a\n"]}
    gone = {**apollo, "host": "gone", "connection": "offline", "error": "no route"}
    gone |= {"state": "offline", "since": time.time() - 65}
    gone |= {"files": None, "pending": None, "last_push": None, "held_back": []}
    data = {"project": "p", "root": "/r", "trusted": False, "group": "dev", "hosts": [apollo, gone]}
    with fake_agent(lambda client: client.finish(data=data)):
        done = igor("status")
    shown = re.sub(r"1 min \d+ s", "1 min 5 s", done.stdout.decode())
    assert shown.splitlines() == [
        "p  /r  not trusted (igor trust)",
        "group dev",
        "host    folder  state                  files  pending  last push",
        "apollo  /data   fresh                  12     0        1 min 5 s ago",
        "gone    /data   offline for 1 min 5 s  ?      ?        never",
        "apollo: held back: a\\n",
        "gone: no route",
    ]


def test_doctor_puts_the_remedy_under_what_is_wrong() -> None:
    good = {"name": "ssh", "state": "ok", "text": "OpenSSH 9.2", "hint": ""}
    bad = {"name": "docker", "state": "fail", "text": "no permission", "hint": "usermod -aG"}
    data = {"local": [good], "hosts": [{"host": "apollo", "checks": [good, bad]}]}
    with fake_agent(lambda client: client.finish(1, data=data)):
        done = igor("doctor")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        "this machine",
        "  ok       ssh  OpenSSH 9.2",
        "apollo",
        "  ok       ssh     OpenSSH 9.2",
        "  FAILED   docker  no permission",
        "           usermod -aG",
    ]


def test_the_log_is_printed_without_its_control_characters_and_followed() -> None:
    directories.log_path().write_bytes(b"one \x1b[2J\n")
    assert igor("agent", "log").stdout == b"one \\x1b[2J\n"
    process = start("agent", "log", "-f")
    assert process.stdout is not None
    assert process.stdout.readline() == b"one \\x1b[2J\n"
    with open(directories.log_path(), "ab") as log:
        log.write(b"two\n")
    assert process.stdout.readline() == b"two\n"
    directories.log_path().write_bytes(b"new\n")
    assert process.stdout.readline() == b"new\n"
    process.send_signal(signal.SIGINT)
    _out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, b"")


REFUSING = """
import os, signal, socket, sys
from igor_core.agent.protocol import Kind, encode
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
def end(*_):
    os.unlink(sys.argv[1])
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    if client.recv(4096):
        client.sendall(encode(Kind.REFUSED, 0, 99, "9.9", True, os.getpid()))
    client.close()
"""


def refusing_process(*more: str) -> "subprocess.Popen[bytes]":
    """A fake agent as a process: it refuses as a busy agent of another version does."""
    command = [sys.executable, "-c", REFUSING, str(directories.socket_path()), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    directories.pid_path().write_text(f"{process.pid}\n")
    return process


def test_stop_also_ends_an_agent_of_another_version() -> None:
    process = refusing_process("-m", "igor_core.agent")
    refused = igor("agent", "status")
    assert b"an agent of igor 9.9" in refused.stderr
    done = igor("agent", "stop")
    assert (done.returncode, done.stdout) == (0, b"the agent has ended\n")
    assert process.wait(20) == 0


def test_stop_leaves_a_process_alone_that_is_no_agent() -> None:
    """The number in an old pid file may be anybody's by now."""
    process = refusing_process("igor_core.agent")
    done = igor("agent", "stop")
    assert done.returncode == 255
    assert f"process {process.pid}" in done.stderr.decode()
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_bug_is_one_line_and_its_traceback_goes_into_a_file(tmp_path: Path) -> None:
    """A broken module in the place of one of igor's own makes the bug."""
    program = (
        "import sys; from igor_core.cli import main, job\n"
        "def broken(invocation): raise ValueError('odd \\x1b[2J')\n"
        "job.run = broken; sys.exit(main(sys.argv[1:]))"
    )
    for words, status in ((["push"], 1), (["docker", "exec", "x"], 255)):
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        assert done.returncode == status
        first, second = done.stderr.splitlines()
        assert first == r"igor: this is a bug in igor: ValueError: odd \x1b[2J"
        assert "bugs.log" in second
    log = directories.state_directory() / "bugs.log"
    assert "raise ValueError" in log.read_text() or "in broken" in log.read_text()
    assert os.stat(log).st_mode & 0o077 == 0


def test_the_package_runs_as_a_module_and_as_a_program() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from igor_core.cli import main; sys.exit(main())",
            "-h",
        ],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=environment(),
    )
    assert done.stdout == igor("--help").stdout
