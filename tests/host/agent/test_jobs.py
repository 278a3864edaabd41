"""Jobs on real hosts, as a client sees them: credit, questions, ends."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from igor_core import directories
from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from igor_core.errors import AgentError
from tests.lab import Host, HostPlan, Lab
from tests.support.agent_client import (
    Seen,
    agent_pid,
    client,
    kill_agent,
    memory_mb,
    project_without_containers,
    wait_until,
)
from tests.support.remote import configure, make_key, ssh_agent

PLAIN = {"no_push": True}


@pytest.fixture
def project(ssh_home: Path, plain_host: Host) -> Path:
    """A project on the plain host, pushed."""
    root = project_without_containers(ssh_home / "project", "plain")
    (root / "hello.txt").write_text("hello\n")
    pushed = Seen(client(), "push", root).end()
    assert pushed["status"] == 0, pushed
    return root


def execute(where: Path, script: str, **args: object) -> Seen:
    return Seen(client(), "exec", where, argv=["sh", "-c", script], **PLAIN, **args)


def test_a_command_s_output_status_and_input_pass_through(project: Path) -> None:
    job = execute(project, "cat hello.txt - | sort -r; exit 9", stdin=True)
    job.until(lambda seen: seen.stream or seen.outcome)
    job.client.send(Kind.BYTES, job.stream, b"world\n")
    job.client.send(Kind.EOF, job.stream)
    outcome = job.end()
    assert (job.output, outcome["status"]) == (b"world\nhello\n", 9)


def test_a_client_that_grants_nothing_stops_its_own_program_and_nothing_else(
    project: Path, plain_host: Host
) -> None:
    before = memory_mb(agent_pid())
    stuck = execute(project, "yes")
    stuck.until(lambda seen: len(seen.output) >= INITIAL_CREDIT, grant=False)
    other = execute(project, "head -c 20000000 /dev/zero")
    assert other.end()["status"] == 0
    assert len(other.output) == 20_000_000
    assert memory_mb(agent_pid()) - before < 40
    stuck.client.wait_at_most(0.5)
    with pytest.raises(AgentError, match="does not answer"):
        stuck.until(lambda seen: False, grant=False)
    assert len(stuck.output) < INITIAL_CREDIT + (1 << 17)
    stuck.client.close()
    wait_until(lambda: not plain_host.pids("yes"))


def test_a_client_that_sends_more_than_it_may_is_dropped(project: Path) -> None:
    job = execute(project, "sleep 100", stdin=True)
    job.until(lambda seen: seen.stream or seen.outcome)
    flood = [bytes(1 << 20)] * 100
    with pytest.raises(AgentError, match="has gone away"):
        [job.client.send(Kind.BYTES, job.stream, data) for data in flood]
    assert "more BYTES than there was CREDIT for" in directories.log_path().read_text()
    assert client().call("jobs")["status"] == 0


def test_cancel_ends_the_program_on_the_host_and_says_how(project: Path, plain_host: Host) -> None:
    job = execute(project, "echo up; exec sleep 84")
    job.until(lambda seen: seen.output)
    assert client().call("cancel", job=job.number)["status"] == 0
    outcome = job.end()
    assert (outcome["status"], outcome["error"]) == (130, "cancelled")
    (result,) = outcome["results"]
    assert (result["host"], result["status"], result["text"]) == ("plain", 130, "ended by INT")
    assert result in job.events
    assert plain_host.run(["pgrep", "-f", "^sleep 84"]).returncode == 1


def test_last_words_are_heard_and_a_client_that_does_not_read_is_not_waited_for(
    project: Path, plain_host: Host
) -> None:
    job = execute(project, "trap 'echo saved; exit' INT; echo up; sleep 87 & wait")
    job.until(lambda seen: seen.output)
    job.client.send(Kind.CANCEL, job.request)
    assert (job.end()["status"], job.output) == (130, b"up\nsaved\n")
    job = execute(project, "yes 8787")
    job.until(lambda seen: len(seen.output) >= INITIAL_CREDIT, grant=False)
    begun = time.monotonic()
    job.client.send(Kind.CANCEL, job.request)
    job.until(lambda seen: seen.outcome, grant=False)
    assert time.monotonic() - begun < 9
    assert plain_host.run(["pgrep", "-f", "^yes 8787"]).returncode == 1


def test_an_interactive_job_ends_with_its_client(project: Path, plain_host: Host) -> None:
    job = execute(project, "echo up; exec sleep 85")
    job.until(lambda seen: seen.output)
    job.client.close()
    wait_until(lambda: plain_host.run(["pgrep", "-f", "^sleep 85"]).returncode == 1)


def test_what_a_killed_agent_had_started_is_gone_in_seconds(
    project: Path, plain_host: Host
) -> None:
    job = execute(project, "trap '' HUP; echo up; sleep 86; :")
    job.until(lambda seen: seen.output)
    start = time.monotonic()
    kill_agent()
    with pytest.raises(AgentError, match="the agent has gone away"):
        job.end()
    wait_until(lambda: plain_host.run(["pgrep", "-f", "^sleep 86"]).returncode == 1, 10)
    assert time.monotonic() - start < 10
    again = execute(project, "cat hello.txt")
    assert (again.end()["status"], again.output) == (0, b"hello\n")


# -- questions


@pytest.fixture
def asking(lab: Lab, ssh_home: Path) -> tuple[Path, Host]:
    """A project on a host that asks for a password."""
    host = lab.add(HostPlan("asks-password", docker=False, login="password"))
    return project_without_containers(ssh_home / "asking", host.name), host


def test_a_question_goes_to_the_client_and_its_answer_into_no_log(
    asking: tuple[Path, Host],
) -> None:
    root, host = asking
    job = Seen(client(answers=True), "push", root)
    prompt = job.answer(host.password)
    assert (prompt["host"], prompt["text"], prompt["echo"]) == (
        host.name, f"{host.user}@{host.name}'s password: ", False,
    )  # fmt: skip
    outcome = job.end()
    assert outcome["status"] == 0, outcome
    assert host.password not in directories.log_path().read_text()


def test_a_client_that_cannot_answer_is_told_what_to_do(asking: tuple[Path, Host]) -> None:
    root, host = asking
    job = Seen(client(), "push", root)
    (result,) = job.end()["results"]
    assert job.prompts() == []
    assert result["text"] == f"{host.name} asks: {host.user}@{host.name}'s password:"
    assert "run igor in a terminal" in result["hint"]
    (state,) = client().call("agent-status")["data"]["connections"]
    assert state["state"] == "needs login"


def test_a_question_that_is_refused_ends_the_login(asking: tuple[Path, Host]) -> None:
    job = Seen(client(answers=True), "push", asking[0])
    job.answer(None)
    (result,) = job.end()["results"]
    assert "There was no answer" in result["text"]


def test_a_client_that_dies_while_it_is_asked_frees_the_next(asking: tuple[Path, Host]) -> None:
    root, host = asking
    dying = Seen(client(answers=True), "push", root)
    dying.until(lambda seen: seen.prompts())
    waiting = Seen(client(answers=True), "push", root)
    assert waiting.number
    dying.client.close()
    waiting.answer(host.password)
    assert waiting.end()["status"] == 0


def test_a_job_that_is_cancelled_while_it_is_asked_frees_the_next(
    asking: tuple[Path, Host],
) -> None:
    root, host = asking
    first = Seen(client(answers=True), "push", root)
    first.until(lambda seen: seen.prompts())
    waiting = Seen(client(answers=True), "push", root)
    assert waiting.number
    first.client.send(Kind.CANCEL, first.request)
    assert first.end()["status"] == 130
    waiting.answer(host.password)
    assert waiting.end()["status"] == 0


def test_the_ssh_agent_is_that_of_each_client_not_of_who_started_the_agent(
    lab: Lab, plain_host: Host, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = plain_host.path(".ssh/authorized_keys")
    before = keys.read_text()
    keys.write_text(before + make_key(home / "good"))
    entry = f"    HostName {plain_host.address}\n    User {plain_host.user}\n"
    entry += f"    UserKnownHostsFile {lab.ssh_config.parent}/known_hosts\n"
    configure(home, f"Host plain\n{entry}")
    root = project_without_containers(home / "project", "plain")
    try:
        with ssh_agent(home, "a", home / "good") as env:
            (home / "good").unlink()
            monkeypatch.setenv("SSH_AUTH_SOCK", env["SSH_AUTH_SOCK"])
            starter = client()
            monkeypatch.delenv("SSH_AUTH_SOCK")
            (refused,) = Seen(client(), "push", root).end()["results"]
            assert "plain refuses the login" in refused["text"]
            assert Seen(starter, "push", root).end()["status"] == 0
    finally:
        keys.write_text(before)


def test_a_passphrase_is_asked_through_the_client(lab: Lab, plain_host: Host, home: Path) -> None:
    keys = plain_host.path(".ssh/authorized_keys")
    before = keys.read_text()
    keys.write_text(before + make_key(home / "locked", "open sesame"))
    entry = f"    HostName {plain_host.address}\n    User {plain_host.user}\n"
    entry += f"    UserKnownHostsFile {lab.ssh_config.parent}/known_hosts\n"
    configure(home, f"Host plain\n{entry}    IdentityFile {home}/locked\n")
    root = project_without_containers(home / "project", "plain")
    try:
        job = Seen(client(answers=True), "push", root)
        assert job.answer("wrong sesame")["text"] == "Passphrase for locked: "
        assert job.answer("open sesame", count=2)["text"].startswith("Wrong passphrase.")
        assert job.end()["status"] == 0
        assert "sesame" not in directories.log_path().read_text()
    finally:
        keys.write_text(before)


def test_twenty_jobs_at_once_share_one_connection(project: Path) -> None:
    kill_agent()
    jobs = [execute(project, f"echo {number}") for number in range(20)]
    for number, job in enumerate(jobs):
        assert job.end()["status"] == 0
        assert job.output == b"%d\n" % number
    (connection,) = client().call("agent-status")["data"]["connections"]
    assert connection["state"] == "connected"
    assert tcp_connections(agent_pid()) == 1


def tcp_connections(pid: int) -> int:
    """How many of the process's descriptors are TCP sockets (proc(5))."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    sockets = {f"socket:[{line.split()[9]}]" for line in table}
    found = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(link) in sockets
    return found
