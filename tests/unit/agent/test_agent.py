"""The agent's life: one per user, private, gone when idle, and nothing of it in the way later."""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core import __version__, directories
from igor_core.agent import client as agent_client
from igor_core.agent.connection import Connection
from igor_core.agent.log_limit import LogLimit
from igor_core.agent.protocol import MAX_FRAME, PROTOCOL, Decoder, Kind, encode
from igor_core.agent.server import Server
from igor_core.cli import agent as agent_commands
from igor_core.cli import main
from igor_core.errors import AgentError
from igor_core.events import Outcome
from tests.support.agent_client import (
    ROOT,
    Seen,
    agent_pid,
    agents,
    client,
    kill_agent,
    memory_mb,
    project_without_containers,
    python,
    wait_until,
)

CONNECT = "from igor_core.agent.client import connect; c = connect('test', answers=False); "


def test_ten_clients_that_start_at_once_get_one_agent() -> None:
    code = CONNECT + "print(c.call('agent-status')['data']['pid'])"
    clients = [python(code) for _ in range(10)]
    pids = {process.communicate(timeout=60)[0] for process in clients}
    assert pids == {f"{agent_pid()}\n"}
    assert agents() == [agent_pid()]


def test_a_killed_agent_leaves_nothing_that_stops_the_next() -> None:
    client().close()
    first = agent_pid()
    kill_agent()
    assert directories.socket_path().exists(), "the stale socket is the point of this test"
    assert client().call("agent-status")["data"]["pid"] != first


def test_a_client_of_an_agent_that_is_killed_reads_that_it_has_gone() -> None:
    one = client()
    kill_agent()
    with pytest.raises(AgentError, match="has gone away"):
        one.call("jobs")


def test_an_idle_agent_leaves_but_not_while_a_client_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IGOR_AGENT_IDLE", "0.3")
    one = client()
    pid = agent_pid()
    time.sleep(1.0)
    assert one.call("agent-status")["data"]["pid"] == pid
    one.close()
    wait_until(lambda: not agents(), 5)
    assert not directories.socket_path().exists()


def test_an_idle_agent_with_a_client_uses_no_processor_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IGOR_AGENT_IDLE", "0")
    one = client()
    time.sleep(0.5)
    before = processor_seconds(agent_pid())
    time.sleep(1.0)
    assert processor_seconds(agent_pid()) - before < 0.2
    one.close()


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_time_that_is_no_number_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGOR_AGENT_IDLE", "soon")
    with pytest.raises(AgentError, match="IGOR_AGENT_IDLE is 'soon', not a number of seconds"):
        client()


@pytest.fixture
def other_version(tmp_path: Path) -> Path:
    """A copy of igor that calls itself 99.0, for PYTHONPATH."""
    shutil.copytree(ROOT / "igor_core", tmp_path / "igor_core")
    (tmp_path / "igor_core" / "__init__.py").write_text('__version__ = "99.0"\n')
    return tmp_path


@pytest.fixture
def silent_project(home: Path) -> Iterator[Path]:
    """A project whose host accepts connections and never says a word: its jobs just run."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        entry = f"Host silent\n    HostName 127.0.0.1\n    Port {port}\n"
        (home / ".ssh" / "config").write_text(entry)
        yield project_without_containers(home / "project", "silent")


def test_a_client_of_another_version_gets_a_new_agent_when_nothing_runs(
    other_version: Path,
) -> None:
    editor = client()
    first = agent_pid()
    code = CONNECT + "print(c.call('agent-status')['data'])"
    told = python(code, PYTHONPATH=str(other_version)).communicate(timeout=60)[0]
    assert "'version': '99.0'" in told
    assert agents() == [agent_pid()] != [first]
    with pytest.raises(AgentError, match="has gone away"):
        editor.call("jobs")


def test_a_client_of_another_version_is_told_when_jobs_run(
    other_version: Path, silent_project: Path
) -> None:
    job = Seen(client(), "push", silent_project)
    assert job.number
    told = python(CONNECT, PYTHONPATH=str(other_version)).communicate(timeout=60)[0]
    assert f"(pid {agent_pid()}) is running jobs; this is igor 99.0" in told
    assert "has gone away" not in told


def test_an_agent_that_is_told_to_stop_ends_its_jobs_and_the_next_one_waits_for_that(
    silent_project: Path,
) -> None:
    job = Seen(client(), "push", silent_project)
    assert job.number
    first = agent_pid()
    assert client().call("agent-stop")["data"] == {"jobs": 1}
    assert job.end()["error"] == "cancelled"
    assert client().call("agent-status")["data"]["pid"] != first
    wait_until(lambda: agents() == [agent_pid()])


def test_jobs_are_listed_and_cancelled_by_number(silent_project: Path) -> None:
    job, other = Seen(client(), "push", silent_project), client()
    (listed,) = other.call("jobs")["data"]
    assert (listed["job"], listed["verb"], listed["running"]) == (job.number, "push", True)
    assert other.call("cancel", job=job.number)["status"] == 0
    assert job.end()["status"] == 130
    assert "no job" in other.call("cancel", job=job.number)["error"]
    assert other.call("jobs")["data"][0]["status"] == 130


def test_a_job_that_is_cancelled_before_its_first_step_ends_too(silent_project: Path) -> None:
    one = client()
    job = Seen(one, "push", silent_project)
    one.send(Kind.CANCEL, job.request)
    assert job.end()["status"] == 130


def test_a_client_that_dies_leaves_its_push_running_and_takes_its_exec_with_it(
    silent_project: Path,
) -> None:
    for verb, args in (("push", {}), ("exec", {"argv": ["true"]})):
        dying = client()
        assert Seen(dying, verb, silent_project, **args).number
        dying.close()
    other = client()
    wait_until(lambda: [job["running"] for job in other.call("jobs")["data"]].count(True) == 1)
    running = {job["verb"]: job["running"] for job in other.call("jobs")["data"]}
    assert running == {"push": True, "exec": False}


def test_verbs_that_do_not_exist_and_bad_arguments_are_answered(silent_project: Path) -> None:
    one = client()
    assert "no such verb: fly" in one.call("fly")["error"]
    assert "'hosts' must be" in one.call("push", str(silent_project), hosts=7)["error"]
    assert one.call("push")["status"] == 2
    assert one.call("cancel", job="x")["status"] == 2


# -- who may talk to it


def raw() -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(directories.socket_path()))
    return connection


def test_another_user_is_dropped_even_where_the_folder_lets_them_in(home: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    client().close()
    path = directories.socket_path()
    for folder in (home, path.parents[1], path.parent):
        folder.chmod(0o711)
    path.chmod(0o666)
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
        "s.connect(sys.argv[1]); print(s.recv(1))"
    )
    assert python(code, str(path)).communicate(timeout=30)[0] == "b''\n"
    path.parent.chmod(0o700)
    assert client().call("jobs")["status"] == 0


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="not frames"),
        pytest.param(struct.pack(">I", MAX_FRAME + 1), id="too large"),
        pytest.param(encode(Kind.CANCEL, 1), id="no HELLO"),
        pytest.param(
            encode(Kind.HELLO, 0, PROTOCOL, __version__, {"env": 5}), id="a strange HELLO"
        ),
    ],
)
def test_a_client_that_talks_nonsense_is_dropped_and_hurts_nobody(said: bytes) -> None:
    one = client()
    with raw() as connection:
        connection.sendall(said)
        with contextlib.suppress(ConnectionError):
            while connection.recv(1 << 16):
                pass
    assert one.call("jobs")["status"] == 0


def test_a_client_that_reads_nothing_is_dropped_before_the_agent_grows() -> None:
    one = client()
    before = memory_mb(agent_pid())
    with raw() as connection:
        hello = encode(Kind.HELLO, 0, PROTOCOL, __version__, {"name": "stuck"})
        connection.sendall(hello)
        asked = b"".join(
            encode(Kind.REQUEST, number, "fly" * 3000, "", {}) for number in range(1, 20_001, 2)
        )
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(asked)
        assert one.call("jobs")["status"] == 0
        assert memory_mb(agent_pid()) - before < 150
    assert "the client stuck is dropped" in directories.log_path().read_text()


def test_a_socket_on_which_nobody_answers_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    client().close()
    pid = agent_pid()
    os.kill(pid, signal.SIGSTOP)
    code = CONNECT.replace("import connect;", "import connect; import igor_core.agent.client as m;"
                           " m.START_SECONDS = 1.0;")  # fmt: skip
    told = python(code).communicate(timeout=30)[0]
    os.kill(pid, signal.SIGCONT)
    assert "the agent does not answer" in told


def test_stop_ends_an_agent_that_hangs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agent_commands, "ANSWER_SECONDS", 0.5)
    client()
    pid = agent_pid()
    os.kill(pid, signal.SIGSTOP)
    assert main(["agent", "stop"]) == 0
    wait_until(lambda: not agents())
    assert "the agent did not answer and was killed" in capfd.readouterr().out
    client()
    assert agent_pid() != pid


def test_a_start_that_hangs_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_client, "START_SECONDS", 0.5)
    descriptor = os.open(directories.runtime_directory() / "agent.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(AgentError, match="another igor has been starting an agent"):
        client()
    os.close(descriptor)


# -- a socket that is removed, and a second one


@pytest.mark.parametrize("what", ["folder", "socket"])
def test_an_agent_whose_socket_is_removed_is_found_again(what: str) -> None:
    editor = client()
    pid = agent_pid()
    if what == "folder":
        shutil.rmtree(directories.socket_path().parent)
    else:
        directories.socket_path().unlink()
    # At once, before the agent has noticed.
    assert client().call("agent-status")["data"]["pid"] == pid
    assert agents() == [pid] == [agent_pid()]
    assert editor.call("jobs")["status"] == 0
    assert main(["agent", "stop"]) == 0
    wait_until(lambda: not agents())


def test_after_a_logout_what_runs_goes_on_and_the_next_login_finds_it(home: Path) -> None:
    editor = client()
    pid = agent_pid()
    run = home / "run"
    shutil.rmtree(run)
    run.touch()  # nobody but the system can make the folder
    time.sleep(1.5)
    assert editor.call("jobs")["status"] == 0
    run.unlink()
    run.mkdir(mode=0o700)
    wait_until(directories.socket_path().exists)
    assert client().call("agent-status")["data"]["pid"] == pid
    assert agents() == [pid] == [agent_pid()]


def test_an_agent_does_not_remove_the_socket_of_another() -> None:
    client()
    path = directories.socket_path()
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        wait_until(lambda: not agents())
        assert path.exists()


def test_an_agent_with_another_runtime_folder_and_the_same_records_is_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client()
    pid = agent_pid()
    (home / "other").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "other"))
    assert client().call("agent-status")["data"]["pid"] == pid
    assert agents() == [pid]
    with pytest.raises(AgentError, match=f"another agent of yours uses .*process {pid} on "):
        asyncio.run(Server(60.0).serve(None))
    assert main(["agent", "stop"]) == 0
    wait_until(lambda: not agents())


# -- folders


def test_without_a_runtime_folder_of_the_session_there_is_one_in_tmp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    folder = directories.runtime_directory()
    assert folder == Path(f"/tmp/igor-{os.getuid()}")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_runtime_folder_that_others_may_enter_is_refused() -> None:
    folder = directories.runtime_directory()
    folder.chmod(0o755)
    with pytest.raises(AgentError, match="isn't private to you") as caught:
        client()
    assert caught.value.hint == f"remove it, or: chmod 700 {folder}"
    folder.chmod(0o700)
    client()


def test_a_runtime_folder_that_is_a_link_is_refused(home: Path) -> None:
    (home / "elsewhere").mkdir(mode=0o700)
    (home / "run" / "igor").symlink_to(home / "elsewhere")
    with pytest.raises(AgentError, match="isn't private to you"):
        client()


def test_folders_that_cannot_be_made_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    with pytest.raises(AgentError, match="state can't be made or used: Not a directory"):
        client()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "file"))
    with pytest.raises(AgentError, match="socket can't be made: Not a directory"):
        client()


# -- starting


def test_an_agent_that_cannot_start_says_why_at_the_client(other_version: Path, home: Path) -> None:
    (other_version / "igor_core" / "agent" / "server.py").write_text("import no_such_module\n")
    told = python(CONNECT, PYTHONPATH=str(other_version)).communicate(timeout=60)[0]
    assert "the agent did not start: ModuleNotFoundError: No module named 'no_such_module'" in told


def test_only_the_agent_pays_for_asyncssh() -> None:
    code = (
        "import sys, igor_core.cli, igor_core.agent.client; "
        "print(sorted({'asyncio', 'asyncssh', 'pynvim', 'cryptography'} & set(sys.modules)))"
    )
    assert python(code).communicate(timeout=30)[0] == "[]\n"


def test_the_log_is_private_and_tells_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2hunter2")
    one = client()
    one.call("push", "/nowhere")
    one.call("agent-stop")
    wait_until(lambda: not agents())
    log = directories.log_path()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "hunter2" not in log.read_text()


def test_an_outcome_that_cannot_be_sent_is_replaced_by_one_that_says_so() -> None:
    asyncio.run(_sends_a_huge_outcome())


async def _sends_a_huge_outcome() -> None:
    ours, theirs = socket.socketpair()
    _reader, writer = await asyncio.open_connection(sock=ours)
    server = Server(1.0)
    connection = Connection(server.jobs, server.stop, server.context.saves.saved, writer)
    connection.finished(1, Outcome(0, data="x" * MAX_FRAME).to_wire())
    (frame,) = Decoder().feed(theirs.recv(1 << 16))
    assert frame[0] is Kind.FINISHED
    assert frame[2]["status"] == 1
    assert "can't be told" in frame[2]["error"]
    writer.close()
    theirs.close()


def test_the_last_save_of_an_editor_that_left_while_it_was_told_something_is_heard() -> None:
    asyncio.run(_tells_one_that_has_gone())


async def _tells_one_that_has_gone() -> None:
    ours, theirs = socket.socketpair()
    _reader, writer = await asyncio.open_connection(sock=ours)
    saved: list[list[bytes]] = []
    server = Server(1.0)
    connection = Connection(
        server.jobs, server.stop, lambda _root, paths, _env: saved.append(list(paths)), writer
    )
    serving = asyncio.ensure_future(connection.serve())
    await asyncio.sleep(0)
    theirs.sendall(encode(Kind.HELLO, 0, PROTOCOL, __version__, {}))
    theirs.sendall(encode(Kind.SAVE, 0, "/p", ["a"]))
    theirs.close()
    # Nobody is there any more, and that is noticed by this before the frames are read.
    connection.finished(1, Outcome(0).to_wire())
    await serving
    assert saved == [[b"a"]]


# -- a client that talks nonsense again and again

NONSENSE = {
    "not frames": b"GET / HTTP/1.1\r\n\r\n",
    "a strange HELLO": encode(Kind.HELLO, 0, PROTOCOL, __version__, {"env": 5}),
    "deep nesting": struct.pack(">I", 100_000) + b"\x91" * 100_000,
    "a name with NUL": encode(Kind.HELLO, 0, PROTOCOL, __version__, {"name": "x" * 10_000})
    + encode(Kind.REQUEST, 1, "status", "/a\0b", {}),
    "a save of NUL": encode(Kind.HELLO, 0, PROTOCOL, __version__, {})
    + encode(Kind.SAVE, 0, "/a\0b", []),
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_again_and_again_leaves_a_short_log(said: bytes) -> None:
    one = client()
    for _ in range(300):
        with raw() as connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while connection.recv(1 << 16):
                    pass
    assert one.call("jobs")["status"] == 0
    log = directories.log_path().read_text()
    assert "Traceback" not in log
    assert len(log.splitlines()) < 60
    assert len(log) < 10_000


def test_a_log_that_is_cut_short_says_so_and_other_lines_go_on() -> None:
    limit, shown = LogLimit(), []
    for number in range(100):
        for line in (1, 2) if number == 99 else (1,):
            record = logging.LogRecord("n", logging.ERROR, "a.py", line, "%s", (number,), None)
            if limit.filter(record):
                shown.append(record.getMessage())
    assert shown[:2] == ["0", "1"]
    assert shown[-2:] == ["19 (more like this within 60 s is left out)", "99"]
