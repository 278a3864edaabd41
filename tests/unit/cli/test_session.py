"""How the command line and a job live together: ctrl-c, input, back-pressure, questions, ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from tests.support.cli_process import COMMAND, Terminal, environment, igor, start
from tests.support.fake_agent import Client, fake_agent, result


def cancellable(client: Client) -> None:
    """A job that ends when it is cancelled."""
    client.event("accepted", job=7, verb=client.verb)
    client.step("apollo", "working")
    client.wait(Kind.CANCEL)
    client.step("apollo", "ended what was started")
    client.finish(130, "cancelled")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_cancels_and_waits_for_the_end(number: signal.Signals) -> None:
    with fake_agent(cancellable):
        process = start("push")
        assert process.stderr is not None
        assert process.stderr.readline() == b"apollo: working\n"
        process.send_signal(number)
        _out, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.decode().splitlines() == [
        "igor: cancelling; ctrl-c again leaves at once",
        "apollo: ended what was started",
        "igor: cancelled",
    ]


def test_a_second_ctrl_c_leaves_at_once_and_names_the_job() -> None:
    def script(client: Client) -> None:
        client.event("accepted", job=7, verb="push")
        client.step("apollo", "working")
        client.wait(Kind.CANCEL)
        client.wait_for_hang_up()

    with fake_agent(script):
        terminal = Terminal("push")
        terminal.wait_for("working")
        terminal.type("\x03")
        terminal.wait_for("cancelling")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert b"igor: left; job 7 may go on: igor jobs" in terminal.screen
    assert b"Traceback" not in terminal.screen


def test_ctrl_c_is_heard_while_nobody_reads_the_output() -> None:
    def script(client: Client) -> None:
        client.output("", b"x" * INITIAL_CREDIT)
        blocked.set()
        client.wait(Kind.CANCEL)
        client.finish(130)

    blocked = threading.Event()
    with fake_agent(script):
        process = start("docker", "exec", "yes")
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        assert blocked.wait(20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130


def test_what_nohup_ignores_stays_ignored() -> None:
    def script(client: Client) -> None:
        client.step("apollo", "working")
        signalled.wait(20)
        client.finish(0)

    signalled = threading.Event()
    with fake_agent(script):
        process = start("push", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        assert process.stderr is not None
        assert process.stderr.readline() == b"apollo: working\n"
        process.send_signal(signal.SIGINT)
        signalled.set()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_credit_is_granted_only_for_what_was_written() -> None:
    size = 4 * INITIAL_CREDIT

    def script(client: Client) -> None:
        left, sent = INITIAL_CREDIT, 0
        while sent < size:
            if left <= 0:
                starved.set()
                left += client.wait(Kind.CREDIT)[2]
            client.output("", b"x" * min(left, 65536))
            sent += min(left, 65536)
            left -= min(left, 65536)
        client.finish()

    starved = threading.Event()
    with fake_agent(script):
        process = start("docker", "exec", "yes")
        assert starved.wait(20)
        assert process.stdout is not None
        output, _errors = process.communicate(timeout=20)
    assert (process.returncode, len(output)) == (0, size)


def test_a_reader_that_has_gone_ends_exec_quietly_as_a_pipe_does() -> None:
    def script(client: Client) -> None:
        client.output("", b"y\n" * (INITIAL_CREDIT // 2))
        client.wait_for_hang_up()

    with fake_agent(script):
        process = start("docker", "exec", "yes")
        assert process.stdout is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        process.stdout = None
        _out, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGPIPE
    assert errors == b""


def test_a_reader_that_has_gone_does_not_end_a_build() -> None:
    def script(client: Client) -> None:
        for _step in range(100):
            client.output("", b"y\n" * 1000)
        client.finish(results=[result("apollo")])

    with fake_agent(script):
        process = start("docker", "build")
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"apollo  ok  0.2 s\n")


def echoing(client: Client) -> None:
    """A program that writes its input back, taking only a little at a time."""
    client.send(Kind.OPEN, 2, client.number, {"host": "apollo"})
    while (frame := client.wait(Kind.BYTES, Kind.EOF))[0] is Kind.BYTES:
        client.output("", frame[2])
        client.send(Kind.CREDIT, 2, len(frame[2]))
    client.send(Kind.CLOSE, 2, 0, "")
    client.finish()


def test_stdin_reaches_the_program_as_it_is_and_ends() -> None:
    data = bytes(range(256)) * 20_000
    with fake_agent(echoing):
        done = igor("docker", "exec", "cat", input=data)
    assert done.stdout == data
    assert done.returncode == 0


def test_no_more_input_is_sent_than_the_program_has_room_for() -> None:
    def script(client: Client) -> None:
        client.send(Kind.OPEN, 2, client.number, {"host": "apollo"})
        received = 0
        while received < INITIAL_CREDIT:
            received += len(client.wait(Kind.BYTES)[2])
        assert received == INITIAL_CREDIT
        assert not client.readable(0.2)
        client.send(Kind.CREDIT, 2, 10)
        assert len(client.wait(Kind.BYTES)[2]) == 10
        client.finish()

    with fake_agent(script):
        done = igor("docker", "exec", "head", input=b"x" * (2 * INITIAL_CREDIT))
    assert done.returncode == 0


def test_input_is_left_alone_where_no_program_reads_it(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"the rest")
    with open(tmp_path / "input", "rb") as stream, fake_agent(lambda client: client.finish()):
        igor("docker", "exec", "-g", "cluster", "cat", stdin=stream)
        assert os.read(stream.fileno(), 100) == b"the rest"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_descriptors_are_no_trap(closed: tuple[int, ...]) -> None:
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    with fake_agent(echoing):
        process = start("docker", "exec", "cat", preexec_fn=close, stdin=subprocess.DEVNULL)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_typed_input_and_ctrl_d_reach_the_program() -> None:
    with fake_agent(echoing):
        terminal = Terminal("docker", "exec", "cat")
        terminal.type("hello\n")
        terminal.wait_for("hello\r\nhello\r\n")
        terminal.type("\x04")
        assert terminal.end() == 0


def test_exec_in_the_background_of_a_terminal_is_not_stopped() -> None:
    """A shell with job control starts igor with `&`; reading its terminal would stop it."""

    def script(client: Client) -> None:
        client.send(Kind.OPEN, 2, client.number, {"host": "apollo"})
        typed.wait(20)
        assert not client.readable(0.2)
        client.output("", b"still there\n")
        frame = client.wait(Kind.BYTES)
        client.output("", b"got " + frame[2])
        client.finish()

    typed = threading.Event()
    line = " ".join([sys.executable, "-m", "igor_core.cli", "docker", "exec", "cat"])
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with fake_agent(script):
        terminal = Terminal(command=shell, env=environment(PS1="$ ", HISTFILE="/dev/null"))
        terminal.type(f"{line} &\n")
        terminal.wait_for("[1]")
        typed.set()
        terminal.wait_for("still there")
        terminal.type("fg\n")
        terminal.type("now\n")
        terminal.wait_for("got now")
        terminal.type("exit\n")
        terminal.end()
    assert b"Stopped" not in terminal.screen


def asking(text: str, echo: bool, answers: list[object]) -> Callable[[Client], None]:
    """A job with one question, which notes the answer."""

    def script(client: Client) -> None:
        client.event("prompt", prompt=1, host="apollo", text=text, echo=echo)
        answers.append(client.wait(Kind.ANSWER)[3])
        client.finish(0 if answers[0] is not None else 1)

    return script


def test_a_secret_is_asked_on_the_terminal_and_not_shown() -> None:
    answers: list[object] = []
    with fake_agent(asking("Password for dino@apollo: ", False, answers)):
        terminal = Terminal("push")
        terminal.wait_for("Password for dino@apollo: ")
        terminal.type("swordfish é\n")
        assert terminal.end() == 0
    assert answers == ["swordfish é"]
    assert b"swordfish" not in terminal.screen


def test_a_question_without_its_host_gets_it_and_its_answer_is_shown() -> None:
    answers: list[object] = []
    with fake_agent(asking("Delete 80 files?\x1b[2J [y/N] ", True, answers)):
        terminal = Terminal("push")
        terminal.wait_for(r"apollo: Delete 80 files?\x1b[2J [y/N] ")
        terminal.type("y\n")
        assert terminal.end() == 0
    assert answers == ["y"]


def test_the_terminal_answers_although_stdin_and_stdout_are_pipes() -> None:
    answers: list[object] = []
    line = " ".join(COMMAND) + " push </dev/null | cat"
    with fake_agent(asking("apollo, sure? ", True, answers)):
        terminal = Terminal(command=["sh", "-c", line])
        terminal.wait_for("apollo, sure? ")
        terminal.type("yes\n")
        assert terminal.end() == 0
    assert answers == ["yes"]


def test_without_a_terminal_a_question_is_refused_and_stdin_untouched() -> None:
    answers: list[object] = []
    with fake_agent(asking("Password: ", False, answers)):
        done = igor("push", input=b"not a password\n")
    assert answers == [None]
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_d_refuses_and_ctrl_c_cancels_a_question() -> None:
    answers: list[object] = []
    with fake_agent(asking("Password: ", False, answers)):
        terminal = Terminal("push")
        terminal.wait_for("Password: ")
        terminal.type("\x04")
        assert terminal.end() == 1
    assert answers == [None]

    def script(client: Client) -> None:
        client.event("prompt", prompt=1, host="apollo", text="Password: ", echo=False)
        client.wait(Kind.CANCEL)
        client.finish(130, "cancelled")

    with fake_agent(script):
        terminal = Terminal(command=["sh", "-c", " ".join(COMMAND) + " push; stty -a"])
        terminal.wait_for("Password: ")
        terminal.type("\x03")
        terminal.wait_for("cancelled\r\n")
        terminal.end()
    assert b" -echo " not in terminal.screen


def test_a_question_goes_away_with_its_job() -> None:
    def script(client: Client) -> None:
        client.event("prompt", prompt=1, host="apollo", text="Password: ", echo=False)
        asked.wait(20)
        client.finish(130, "cancelled")

    asked = threading.Event()
    with fake_agent(script):
        terminal = Terminal("push")
        terminal.wait_for("Password: ")
        asked.set()
        assert terminal.end() == 130


@pytest.mark.parametrize(("words", "status"), [(["push"], 255), (["docker", "exec", "x"], 255)])
def test_an_agent_that_goes_away_is_one_sentence(words: list[str], status: int) -> None:
    def script(client: Client) -> None:
        client.step("apollo", "working")

    with fake_agent(script):
        done = igor(*words)
    assert done.returncode == status
    first, second, *hint = done.stderr.decode().splitlines()
    assert (first, second) == ("apollo: working", "igor: the agent has gone away")
    assert "agent.log" in hint[0]
