"""Streams of the agent, as a client sees them: both ways, with credit, windows and signals."""

from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import INITIAL_CREDIT, Frame, Kind
from igor_core.errors import AgentError
from tests.lab import Host
from tests.support.agent_client import Seen, client, project_without_containers, wait_until

SIZE = {"columns": 90, "rows": 20, "no_push": True}


@pytest.fixture
def project(ssh_home: Path, plain_host: Host) -> Path:
    root = project_without_containers(ssh_home / "project", plain_host.name)
    assert Seen(client(), "push", root).end()["status"] == 0
    return root


class Conversation(Seen):
    """A REPL's job, with the bytes of its stream and how that was closed."""

    def __init__(self, root: Path, script: str, **args: Any) -> None:
        self.shown = b""
        self.closed: list[Any] = []
        super().__init__(client(), "repl", root, argv=["sh", "-c", script], **{**SIZE, **args})

    def _take(self, frame: Frame, grant: bool) -> None:
        super()._take(frame, grant)
        if frame[0] is Kind.BYTES:
            self.shown += frame[2]
            if grant:
                self.client.send(Kind.CREDIT, frame[1], len(frame[2]))
        elif frame[0] is Kind.CLOSE:
            self.closed = frame[2:]

    def see(self, text: bytes) -> None:
        self.until(lambda _seen: text in self.shown or self.outcome)
        assert text in self.shown, self.outcome

    def type(self, data: bytes) -> None:
        self.client.send(Kind.BYTES, self.stream, data)


def test_bytes_pass_both_ways_and_the_end_comes_with_the_status(project: Path) -> None:
    talk = Conversation(project, "stty size; read line; echo got $line; exit 9")
    talk.see(b"20 90")
    talk.type(b"\xc3\xbc\r")
    outcome = talk.end()
    assert b"got \xc3\xbc\r\n" in talk.shown
    assert (talk.closed, outcome["status"], outcome["error"]) == ([9, ""], 9, "")


def test_windows_and_signals_overtake_what_the_program_does_not_read(project: Path) -> None:
    script = "trap 'stty size' WINCH; trap 'exit 7' USR1; echo up; while :; do sleep 0.1; done"
    talk = Conversation(project, script)
    talk.see(b"up")
    talk.type(bytes(100_000))
    talk.client.send(Kind.WINDOW, talk.stream, 132, 50)
    talk.see(b"50 132")
    talk.client.send(Kind.SIGNAL, talk.stream, "USR1")
    assert talk.end()["status"] == 7


def test_a_client_that_grants_nothing_stops_its_own_program_only(
    project: Path, plain_host: Host
) -> None:
    stuck = Conversation(project, "yes")
    stuck.until(lambda _seen: len(stuck.shown) >= INITIAL_CREDIT, grant=False)
    other = Conversation(project, "head -c 5000000 /dev/zero")
    assert (other.end()["status"], len(other.shown)) == (0, 5_000_000)
    stuck.client.wait_at_most(0.5)
    with pytest.raises(AgentError, match="does not answer"):
        stuck.until(lambda _seen: False, grant=False)
    assert len(stuck.shown) < INITIAL_CREDIT + (1 << 17)
    stuck.client.close()
    wait_until(lambda: not plain_host.pids("yes"))


def test_much_input_is_granted_again(project: Path) -> None:
    talk = Conversation(project, "stty raw -echo; echo up; head -c 3000000 | wc -c")
    talk.see(b"up")
    credit = INITIAL_CREDIT
    for _ in range(30):
        while credit < 100_000:
            for frame in talk.client.receive():
                credit += frame[2] if frame[0] is Kind.CREDIT else 0
        talk.type(b"x" * 100_000)
        credit -= 100_000
    talk.see(b"3000000")
    assert talk.end()["status"] == 0


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(Kind.WINDOW, (0, 24)), (Kind.WINDOW, (80, 1 << 16)), (Kind.SIGNAL, ("a b",))],
)
def test_a_client_that_talks_nonsense_is_dropped(
    project: Path, kind: Kind, fields: tuple[Any, ...]
) -> None:
    talk = Conversation(project, "echo up; sleep 100")
    talk.see(b"up")
    talk.client.send(kind, talk.stream, *fields)
    with pytest.raises(AgentError, match="has gone away"):
        talk.end()
    assert client().call("jobs")["status"] == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"columns": None}, "'columns' must be a number from 1 to 65535"),
        ({"rows": 1 << 16}, "'rows' must be a number from 1 to 65535"),
        ({"env": {"TERM": 1}}, "'env' must be a table of texts"),
        ({"shell": "ls"}, "'argv' and 'shell' at once"),
    ],
)
def test_wrong_arguments_are_named(ssh_home: Path, args: dict[str, Any], said: str) -> None:
    root = project_without_containers(ssh_home / "project", "nowhere")
    outcome = Conversation(root, "true", **args).end()
    assert outcome["status"] == 2
    assert said in outcome["error"]


def test_only_the_terminal_s_variables_pass(project: Path) -> None:
    env = {"TERM": "vt100", "LC_TIME": "C", "LD_PRELOAD": "/x", "LC_x": "y"}
    talk = Conversation(project, "env", env=env)
    assert talk.end()["status"] == 0
    assert b"TERM=vt100" in talk.shown
    assert b"LC_TIME=C" in talk.shown
    assert b"LD_PRELOAD" not in talk.shown
    assert b"LC_x" not in talk.shown
