"""The bridge and the agent's socket: credit, lost connections, questions, exiting."""

import contextlib
import os
import threading
import time
from pathlib import Path

import pytest

from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from tests.support.nvim.editor import Editor
from tests.support.nvim.scene import Scene, scene

CHUNK = b"".join(b"%06d a line of output that is about sixty bytes long\n" % i for i in range(500))


def memory(pid: int) -> int:
    """Return the resident memory in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def pause_between_keys(editor: Editor) -> float:
    """Return how many seconds the editor takes to answer."""
    before = time.perf_counter()
    editor.nvim.eval("1")
    return time.perf_counter() - before


def bridge_pid(on: Scene) -> int:
    channel = on.editor.lua("return require('igor.job.list').channel")
    pid: int = on.editor.nvim.call("jobpid", channel)
    return pid


def test_a_hundred_thousand_lines_do_not_stall_the_editor(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec yes")

        def flood() -> None:
            for _ in range(200):
                on.agent.output(request, CHUNK)
            on.agent.finish(request)

        threading.Thread(target=flood, daemon=True).start()
        pauses = []
        while "igor: exec: done" not in on.editor.messages():
            pauses.append(pause_between_keys(on.editor))
            time.sleep(0.01)
            assert len(pauses) < 6000, "100,000 lines took more than a minute"
        # The editor answers keys during the flood, not only after it.
        assert len(pauses) > 20
        assert max(pauses) < sum(pauses) / 4
        assert on.editor.output()[-2] == CHUNK.splitlines()[-1].decode()


def test_credit_comes_back_only_for_what_was_shown(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec yes")
        on.editor.wait_output("igor exec")
        on.editor.lua("vim.uv.sleep(1) vim.rpcnotify = function() end")
        for _ in range(INITIAL_CREDIT // len(CHUNK)):
            on.agent.output(request, CHUNK)
        time.sleep(0.3)
        assert on.agent.credit(request) < len(CHUNK)


def test_memory_is_bounded_while_the_editor_is_slow(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec yes")
        on.editor.wait_output("igor exec")
        pid = bridge_pid(on)
        before = memory(pid)
        sent = 0

        def flood() -> None:
            nonlocal sent
            # At the end nobody grants more credit.
            with contextlib.suppress(AssertionError, OSError):
                while True:
                    on.agent.output(request, CHUNK)
                    sent += len(CHUNK)

        threading.Thread(target=flood, daemon=True).start()
        on.editor.lua("vim.uv.sleep(1500)")
        assert sent < 3 * INITIAL_CREDIT
        assert memory(pid) - before < 16 << 20


def test_a_lost_agent_is_told_once_and_the_next_command_finds_another(
    nvim: Path, home: Path
) -> None:
    with scene(nvim, home) as on:
        on.start("IgorPush")
        on.start("IgorSetup cluster")
        on.editor.wait_output("igor setup")
        on.agent.hang_up()
        on.editor.wait_message("the agent has gone away")
        assert on.editor.lua("return require('igor').status()") == "igor: setup failed"
        assert "  its last words: igor agent log" in on.editor.output()
        request = on.start("IgorExec ls")
        assert on.agent.greeted == 2
        on.agent.output(request, b"here again\n")
        on.editor.wait_output("here again")


def test_one_connection_carries_all_jobs(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        for command in ("IgorPush", "IgorBuild", "IgorSetup", "IgorClean"):
            on.editor.command(command)
        for _ in range(4):
            on.agent.request()
        assert on.agent.greeted == 1


def test_cancel_ends_the_job_that_is_meant(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command("IgorCancel")
        on.editor.wait_message("igor: nothing runs")
        first = on.start("IgorPush")
        on.editor.wait_output("igor push")
        on.editor.command("IgorCancel")
        assert on.agent.frame(Kind.CANCEL)[1] == first
        second = on.start("IgorSetup")
        on.editor.wait_output("igor setup")
        on.editor.wait(
            "both numbers",
            lambda: (
                on.editor.nvim.call("getcompletion", "IgorCancel ", "cmdline") == ["101", "103"]
            ),
        )
        on.editor.command("IgorCancel")
        on.editor.wait_message("several run (101 push, 103 setup): give a number, or ! for all")
        on.editor.command("IgorCancel 103")
        assert on.agent.frame(Kind.CANCEL)[1] == second
        on.editor.command("IgorCancel!")
        assert {on.agent.frame(Kind.CANCEL)[1], on.agent.frame(Kind.CANCEL)[1]} == {first, second}
        on.agent.finish(second, 130)
        on.editor.wait_message("igor: setup: cancelled")
        on.editor.command("IgorCancel 103")
        on.editor.wait_message("igor: job 103 has ended")
        assert on.agent.received.empty()


def ask(on: Scene, request: int, prompt: int, text: str = "Password: ", echo: bool = False) -> None:
    on.agent.event(request, "prompt", prompt=prompt, host="apollo", text=text, echo=echo)


def test_a_secret_is_asked_for_and_sent(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup")
        ask(on, request, 1)
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.editor.keys("s3cret<CR>")
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 1, "s3cret"]
        ask(on, request, 2, "Delete 60 files? [y/N] ", echo=True)
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.editor.keys("y<CR>")
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 2, "y"]
        assert "s3cret" not in on.editor.nvim.call("execute", "history all")


@pytest.mark.parametrize("key", ["<Esc>", "<C-c>"])
def test_a_question_can_be_refused(nvim: Path, home: Path, key: str) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup")
        ask(on, request, 7)
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.editor.keys("half" + key)
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 7, None]


def test_a_question_does_not_take_what_is_being_typed(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup")
        on.editor.keys("o")
        on.editor.wait("insert mode", lambda: on.editor.mode() == "i")
        ask(on, request, 1)
        on.editor.wait_output("has a question, which comes up in normal mode")
        assert on.editor.lua("return require('igor').status()") == "igor: setup asks"
        on.editor.keys("typed all along")
        time.sleep(0.8)
        assert on.editor.mode() == "i"
        on.editor.keys("<Esc>")
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.editor.keys("pw<CR>")
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 1, "pw"]
        assert on.editor.nvim.current.line == "typed all along"


def test_questions_come_one_after_the_other_and_output_goes_on(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup cluster")
        ask(on, request, 1)
        ask(on, request, 2)
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.agent.output(request, b"meanwhile\n", "enterprise")
        on.editor.wait_output("meanwhile")
        on.editor.keys("one<CR>")
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 1, "one"]
        on.editor.wait("the second question", lambda: on.editor.mode() == "c")
        on.editor.keys("two<CR>")
        assert on.agent.frame(Kind.ANSWER)[1:] == [request, 2, "two"]


def test_a_question_of_a_job_that_has_ended_is_not_asked(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup")
        on.editor.keys("i")
        on.editor.wait("insert mode", lambda: on.editor.mode() == "i")
        ask(on, request, 1)
        on.agent.finish(request, 130)
        on.editor.wait_output("ended in")
        on.editor.keys("<Esc>")
        on.editor.wait_message("igor: setup: cancelled")
        time.sleep(1)
        assert on.editor.mode() == "n"


def test_output_waits_while_a_mapping_reads_a_key(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.editor.wait_output("igor exec")
        on.editor.command("nnoremap <expr> gx getcharstr() ==# 'a' ? 'ione<Esc>' : ''")
        on.editor.keys("gx")
        time.sleep(0.1)
        on.agent.output(request, b"came meanwhile\n")
        time.sleep(0.3)
        on.editor.keys("a")
        on.editor.wait_output("came meanwhile")
        on.editor.wait("what was typed", lambda: on.editor.nvim.current.line == "one")
        assert "bug" not in on.editor.messages()


def test_a_message_waits_for_the_command_line(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.editor.keys(":let g:typed = 1")
        on.editor.wait("the command line", lambda: on.editor.mode() == "c")
        on.agent.finish(request, 1, "it failed")
        time.sleep(0.3)
        assert on.editor.mode() == "c"
        assert "it failed" not in on.editor.messages()
        on.editor.keys("<CR>")
        on.editor.wait_message("igor: exec: it failed")
        assert on.editor.nvim.vars["typed"] == 1


def test_leaving_takes_no_time_and_ends_the_connection(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.start("IgorSetup")
        on.editor.wait_output("igor setup")
        pid = bridge_pid(on)
        before = time.perf_counter()
        on.editor.leave()
        assert time.perf_counter() - before < 1
        on.agent.wait_for_hang_up()
        assert not Path(f"/proc/{pid}").exists()


def test_a_command_given_just_before_leaving_reaches_the_agent(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        accepting = threading.Thread(target=on.agent.request)
        accepting.start()
        on.editor.command("IgorPush")
        on.editor.leave()
        accepting.join(0.5)
        assert not accepting.is_alive()


def test_leaving_does_not_wait_for_an_exec_to_be_taken(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.agent.mute = True
        on.editor.command("IgorExec ls")
        on.editor.wait_output("igor exec")
        before = time.perf_counter()
        on.editor.leave()
        assert time.perf_counter() - before < 1


def test_leaving_waits_for_an_agent_that_starts_but_not_for_ever(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.agent.mute = True
        on.editor.command("IgorSetup")
        on.editor.wait_output("igor setup")
        before = time.perf_counter()
        on.editor.leave()
        assert 2 < time.perf_counter() - before < 5
