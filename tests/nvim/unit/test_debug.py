""":IgorDebug with a fake agent: requests from words, and how a debug job looks in the editor."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from igor_core.events import ResultKind
from tests.support.nvim.debugging import FILE, debug_scene, listens, port, stand_in
from tests.support.nvim.editor import Editor
from tests.support.nvim.scene import Scene

ALWAYS = {"places": True, "stdin": True}


@pytest.fixture
def vimspector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(stand_in("vimspector")))


@pytest.fixture
def dap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(stand_in("dap")))


# -- words


def await_last(on: Scene, args: dict[str, Any]) -> None:
    """Wait until Lua knows the arguments of the last command."""
    args = {key: value for key, value in args.items() if key != "reattach"}
    last = "return require('igor.debug').last(...)"
    on.editor.wait("last", lambda: on.editor.lua(last, str(on.project)) == args)


@pytest.mark.usefixtures("dap")
def test_words_become_a_request(nvim: Path, home: Path) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("IgorDebug", {"program": FILE, "args": []}),
        ("IgorDebug --lr | 'a b'", {"program": FILE, "args": ["--lr", "|", "a b"]}),
        ("IgorDebug -- --lr | 'a b'", {"program": FILE, "args": ["--lr", "|", "a b"]}),
        ("IgorDebug 0.1 --x", {"program": FILE, "args": ["0.1", "--x"]}),
        ("IgorDebug -m pkg.mod --x", {"module": "pkg.mod", "args": ["--x"]}),
        ("IgorDebug fit 3", {"name": "fit", "args": ["3"]}),
        ("IgorDebug -- fit 3", {"program": FILE, "args": ["fit", "3"]}),
        (
            "IgorDebug -g cluster --ranks 1,0 --host=apollo fit",
            {"group": "cluster", "ranks": [0, 1], "hosts": ["apollo"], "name": "fit", "args": []},
        ),
        ("IgorDebug --no-push", {"no_push": True, "program": FILE, "args": []}),
        ("IgorDebug!", {"no_push": True, "program": FILE, "args": []}),
        ("IgorDebug --reattach", {"no_push": True, "program": FILE, "args": [], "reattach": True}),
        ("6 | IgorDebug --test -x", {"test": f"{FILE}::TestLoss::test_nan", "args": ["-x"]}),
        ("5 | IgorDebug --test", {"test": f"{FILE}::TestLoss", "args": []}),
        ("13 | IgorDebug --test", {"test": f"{FILE}::test_one", "args": []}),
        ("18 | IgorDebug --test", {"test": f"{FILE}::TestSetUp", "args": []}),
    ]
    with debug_scene(nvim, home) as on:
        config = on.project / ".igor" / "config.json"
        text = config.read_text().rstrip().removesuffix("}")
        config.write_text(text + ', "debug": {"programs": {"fit": {"module": "a"}}}}')
        for command, args in cases:
            on.editor.command(f"buffer {FILE} | {command}")
            request = on.agent.frame(Kind.REQUEST)
            assert (request[2], request[4]) == ("debug", ALWAYS | args), command
            on.agent.finish(request[1])
            await_last(on, {**ALWAYS, **args})


@pytest.mark.usefixtures("dap")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("IgorDebug!", "no program was debugged"),
        ("1 | IgorDebug --test", "no test under the cursor"),
        ("IgorDebug 'x", "a quote or a backslash has nothing to end it"),
        ("IgorDebug --ranks a", "numbers separated by commas"),
        ("IgorDebug --reattach x", "takes no other arguments"),
        ("enew | IgorDebug x", "shows no file of a project"),
    ],
)
def test_malformed_commands_are_refused(nvim: Path, home: Path, command: str, said: str) -> None:
    with debug_scene(nvim, home) as on:
        on.editor.command(command)
        on.editor.wait_message(said)


def test_without_a_front_end_nothing_is_started(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        for _again in range(2):
            on.editor.command("messages clear | IgorDebug")
            on.editor.wait_message("neither Vimspector nor nvim-dap is installed")
        assert on.agent.received.empty()


@pytest.mark.usefixtures("dap")
def test_a_window_without_a_file_repeats_the_last(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.agent.finish(on.start("IgorDebug x"))
        on.editor.wait_message("debug: done")
        on.editor.command("enew | IgorDebug")
        assert on.agent.frame(Kind.REQUEST)[4] == {**ALWAYS, "program": FILE, "args": ["x"]}


@pytest.mark.usefixtures("dap")
def test_arguments_are_completed(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:

        def completed(line: str) -> list[str]:
            found: list[str] = on.editor.nvim.call("getcompletion", line, "cmdline")
            return found

        assert "--reattach" in completed("IgorDebug --")
        assert completed("IgorDebug --te") == ["--test"]
        assert completed("IgorDebug -g cl") == ["cluster"]
        assert completed("IgorDebug --host e") == ["enterprise"]
        assert completed("IgorDebug -m ") == []


@pytest.mark.usefixtures("dap")
def test_reattach_takes_the_last_program_or_the_named_hosts(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.agent.finish(on.start("IgorDebug x"))
        on.editor.wait_message("debug: done")
        last = {**ALWAYS, "program": FILE, "args": ["x"]}
        for command, args in (
            ("--reattach", {**last, "reattach": True}),
            ("-g cluster --reattach --ranks 1",
             {**ALWAYS, "group": "cluster", "ranks": [1], "reattach": True}),
            ("!", last),
        ):  # fmt: skip
            on.editor.command(f"IgorDebug{'' if command == '!' else ' '}{command}")
            request = on.agent.frame(Kind.REQUEST)
            assert request[4] == args
            on.agent.finish(request[1])
            time.sleep(0.2)


# -- Vimspector


def launched(editor: Editor) -> Any:
    return editor.nvim.vars.get("stand_in_launched", [])


def tabs(editor: Editor) -> int:
    found: int = editor.nvim.call("tabpagenr", "$")
    return found


@pytest.mark.usefixtures("vimspector")
def test_vimspector_attaches_and_its_windows_go_with_the_program(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        request = on.start("IgorDebug")
        listens(on.agent, request, on, its.number)
        connection = its.accept()
        on.editor.wait("its tab", lambda: tabs(on.editor) == 2)
        ((name, configuration, adapter, file),) = launched(on.editor)
        # A name that no configuration in the project's files can have.
        assert re.fullmatch(rf"igor: {FILE} \([0-9A-F]{{8}}\)", name)
        assert name == configuration["adapter"]
        assert (adapter["host"], adapter["port"]) == ("127.0.0.1", its.number)
        assert file.endswith(FILE)
        assert configuration["breakpoints"]["exception"].keys() == {
            "raised", "uncaught", "userUnhandled",
        }  # fmt: skip
        sent = configuration["configuration"]
        assert sent["justMyCode"] is False
        assert sent["connect"] == {"host": "127.0.0.1", "port": its.number}
        mapping = {"localRoot": str(on.project.resolve()), "remoteRoot": "/workspace"}
        assert sent["pathMappings"] == [mapping]
        assert not on.editor.nvim.vars.get("vimspector_configurations")
        window = on.editor.nvim.vars["vimspector_session_windows"]["output"]
        assert "igor-output" in on.editor.nvim.call(
            "bufname", on.editor.nvim.call("winbufnr", window)
        )
        connection.close()
        on.agent.result(request, "apollo", 3, "exit status 3")
        on.agent.finish(request, 3)
        on.editor.wait("its tab's end", lambda: tabs(on.editor) == 1)
        on.editor.wait_message("apollo failed: exit status 3")


@pytest.mark.usefixtures("vimspector")
def test_a_session_that_is_reset_closes_its_connection(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        listens(on.agent, on.start("IgorDebug"), on, its.number)
        connection = its.accept()
        on.editor.wait("its tab", lambda: tabs(on.editor) == 2)
        on.editor.command("VimspectorReset")
        assert connection.recv(1) == b""


@pytest.mark.usefixtures("vimspector")
@pytest.mark.parametrize(
    ("command", "shown"),
    [("IgorDebug -m pkg.mod", ".igor/config.json"), ("IgorDebug fit", FILE)],
)
def test_vimspector_gets_a_window_with_a_file_of_the_project(
    nvim: Path, home: Path, command: str, shown: str
) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        config = on.project / ".igor" / "config.json"
        text = config.read_text().rstrip().removesuffix("}")
        config.write_text(text + f', "debug": {{"programs": {{"fit": {{"program": "{FILE}"}}}}}}}}')
        on.editor.command(f"cd {on.project} | enew | bwipeout {FILE}")
        listens(on.agent, on.start(command), on, its.number)
        its.accept()
        on.editor.wait("its tab", lambda: tabs(on.editor) == 2)
        assert launched(on.editor)[0][3].endswith(shown)


@pytest.mark.usefixtures("vimspector")
def test_a_port_without_listener_is_reported_at_once(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        its.stop_listening()
        request = on.start("IgorDebug")
        began = time.monotonic()
        listens(on.agent, request, on, its.number)
        assert on.agent.frame(Kind.CANCEL)[1] == request
        assert time.monotonic() - began < 5
        on.editor.wait_message(f"nothing listens on 127.0.0.1:{its.number}")
        assert tabs(on.editor) == 1


@pytest.mark.usefixtures("vimspector")
def test_a_file_that_vimspector_can_not_read_is_named(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        (on.project / ".vimspector.json").write_text('{"configurations": {},}')
        request = on.start("IgorDebug")
        listens(on.agent, request, on, its.number)
        assert on.agent.frame(Kind.CANCEL)[1] == request
        on.editor.wait_message("can't read the project's .vimspector.json")


@pytest.mark.usefixtures("vimspector")
def test_a_dropped_connection_is_reported_and_cleaned_up(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port(drops=True) as its:
        on.editor.command("let g:stand_in_hangs = 1")
        request = on.start("IgorDebug")
        listens(on.agent, request, on, its.number)
        its.accept()
        assert on.agent.frame(Kind.CANCEL)[1] == request
        on.editor.wait_message("Vimspector has not attached")
        on.editor.wait("the end of its tab", lambda: tabs(on.editor) == 1)


@pytest.mark.usefixtures("vimspector")
def test_no_front_end_opens_while_the_user_types(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        request = on.start("IgorDebug")
        on.editor.keys("ix = ")
        on.editor.wait("insert mode", lambda: on.editor.mode() == "i")
        listens(on.agent, request, on, its.number)
        on.editor.wait_output("the debugger opens when you return to normal mode")
        on.editor.keys("1")
        time.sleep(1)
        assert tabs(on.editor) == 1
        on.editor.keys("<Esc>")
        its.accept()
        assert on.editor.nvim.current.line.startswith("x = 1")


@pytest.mark.usefixtures("vimspector")
def test_each_rank_has_a_session_with_the_same_breakpoints(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as first, port() as second:
        on.editor.nvim.call("vimspector#SetLineBreakpoint", FILE, 6)
        request = on.start("IgorDebug -g cluster --ranks 0,1")
        listens(on.agent, request, on, first.number)
        listens(on.agent, request, on, second.number, "enterprise", 1)
        connections = [first.accept(), second.accept()]
        on.editor.wait("two tabs", lambda: tabs(on.editor) == 3)
        names = [each[0].partition(" (")[0] for each in launched(on.editor)]
        assert names == ["igor: rank 0 on apollo", "igor: rank 1 on enterprise"]
        saved = "[s._breakpoints.Save() for s in _vimspector_session_man.sessions.values()]"
        assert on.editor.nvim.call("py3eval", saved) == [{"line": {FILE: ["6"]}}] * 2
        own = "(lambda S: S(1).pending_thread_requests is not S(2).pending_thread_requests)"
        module = "__import__('vimspector.stack_trace', fromlist=['Session'])"
        assert on.editor.nvim.call("py3eval", f"{own}({module}.Session)")
        for connection in connections:
            connection.close()
        on.agent.finish(request)
        on.editor.wait("no tabs of theirs", lambda: tabs(on.editor) == 1)
        left = "len(_vimspector_session_man.sessions)"
        on.editor.wait("one session", lambda: on.editor.nvim.call("py3eval", left) == 1)


@pytest.mark.usefixtures("vimspector")
def test_a_repeated_command_reuses_the_windows(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as first, port() as second:
        old = on.start("IgorDebug")
        listens(on.agent, old, on, first.number)
        first.accept()
        on.editor.wait("its tab", lambda: tabs(on.editor) == 2)
        new = on.start("IgorDebug")
        window = on.editor.nvim.vars["vimspector_session_windows"]["output"]
        fixed = "return vim.wo[...].winfixbuf"
        on.editor.wait_output("igor debug")
        assert on.editor.lua(fixed, window) is False  # the window is Vimspector's
        first.close()
        on.agent.result(old, "apollo", 143, "ended: another session began", how="ended")
        on.agent.finish(old, 143)
        on.editor.wait_message("apollo ended: another session began")
        time.sleep(1)
        assert tabs(on.editor) == 2
        listens(on.agent, new, on, second.number)
        second.accept()
        on.agent.finish(new)
        on.editor.wait("its tab's end", lambda: tabs(on.editor) == 1)
        # The split in this tab page showed the first job's output.
        on.editor.wait("its output", lambda: "//2/" in on.editor.output_window().buffer.name)


@pytest.mark.usefixtures("vimspector")
@pytest.mark.parametrize("other", ["IgorAttach 12", "IgorDebug -g cluster"])
def test_the_next_program_of_another_group_takes_no_windows(
    nvim: Path, home: Path, other: str
) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        request = on.start("IgorDebug")
        listens(on.agent, request, on, its.number)
        its.accept()
        on.editor.wait("its tab", lambda: tabs(on.editor) == 2)
        on.start(other)
        on.agent.finish(request)
        on.editor.wait("its tab's end", lambda: tabs(on.editor) == 1)


# -- the end, and a lost connection


@pytest.mark.usefixtures("dap")
@pytest.mark.parametrize(
    ("status", "text", "how", "verdict"),
    [
        (143, "ended: its debugger has left", "ended", "ended"),
        (3, "exit status 3", "exited", "failed"),
    ],
)
def test_ending_a_program_is_no_failure(
    nvim: Path, home: Path, status: int, text: str, how: ResultKind, verdict: str
) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug")
        on.agent.result(request, "apollo", status, text, how=how)
        on.agent.finish(request, status)
        on.editor.wait_message(text)
        assert on.editor.lua("return require('igor').status()") == f"igor: debug {verdict}"


@pytest.mark.usefixtures("dap")
def test_leaving_the_editor_closes_the_connection_to_the_agent(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.start("IgorDebug")
        on.editor.leave()
        on.agent.wait_for_hang_up(5)


def reattaches(on: Scene) -> None:
    on.editor.wait_output("press r or run :IgorDebug --reattach")
    on.editor.lua("vim.api.nvim_set_current_win(...)", on.editor.output_window().handle)
    on.editor.keys("r")
    assert on.agent.frame(Kind.REQUEST)[4] == {
        **ALWAYS, "program": FILE, "args": [], "reattach": True,
    }  # fmt: skip


@pytest.mark.usefixtures("dap")
def test_a_lost_connection_is_reported_with_the_key_to_attach_again(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug")
        on.agent.event(request, "lost-debuggee", host="apollo", rank=0, session="s", grace=30.0)
        on.agent.finish(request, 255, "the connection to apollo was lost")
        on.editor.wait_output("the program keeps running for 30 s")
        reattaches(on)


@pytest.mark.usefixtures("dap")
def test_without_grace_time_no_key_is_offered(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug")
        on.agent.event(request, "lost-debuggee", host="apollo", rank=0, session="s", grace=0.0)
        on.agent.finish(request, 255, "the connection to apollo was lost")
        on.editor.wait_message("was lost")
        assert not [
            line for line in on.editor.output() if "press r or run :IgorDebug --reattach" in line
        ]


@pytest.mark.usefixtures("dap")
def test_a_killed_agent_is_reported_with_the_key_to_attach_again(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        request = on.start("IgorDebug")
        listens(on.agent, request, on, its.number)
        its.accept()
        on.agent.hang_up()
        reattaches(on)


# -- input


@pytest.mark.usefixtures("dap")
def test_typed_input_reaches_the_program(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug")
        on.agent.send(Kind.OPEN, 2, request, {"host": "apollo"})
        on.agent.output(request, b"your name? ")
        on.editor.wait_output("your name? ")
        on.editor.lua("vim.api.nvim_set_current_win(...)", on.editor.output_window().handle)
        on.editor.keys("i")
        on.editor.wait("the question", lambda: on.editor.mode() == "c")
        on.editor.keys("d\u00efno<CR>")
        assert on.agent.frame(Kind.BYTES)[1:3] == [2, "d\u00efno\n".encode()]
        on.editor.wait_output("your name? d\u00efno")
        on.editor.command('wincmd p | IgorInput a | b "c')
        assert on.agent.frame(Kind.BYTES)[2] == b'a | b "c\n'
        on.editor.command("IgorInput!")
        assert on.agent.frame(Kind.EOF)[1] == 2
        on.editor.command("IgorInput more")
        on.editor.wait_message("no program takes input")


@pytest.mark.usefixtures("dap")
def test_no_more_is_sent_than_the_agent_has_granted(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug")
        on.agent.send(Kind.OPEN, 2, request, {"host": "apollo"})
        on.agent.output(request, b"ready\n")
        on.editor.wait_output("ready")
        text = "x" * (INITIAL_CREDIT - 1)
        on.editor.lua("require('igor.job.input').command(...)", text, False)
        on.editor.lua("require('igor.job.input').command(...)", "yz", False)
        assert len(on.agent.frame(Kind.BYTES)[2]) == INITIAL_CREDIT
        time.sleep(0.3)
        assert on.agent.received.empty()
        on.agent.send(Kind.CREDIT, 2, 10)
        assert on.agent.frame(Kind.BYTES)[2] == b"yz\n"


@pytest.mark.usefixtures("dap")
def test_two_programs_are_asked_about(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        request = on.start("IgorDebug -g cluster --ranks 0,1")
        for stream, host in ((2, "apollo"), (4, "enterprise")):
            on.agent.send(Kind.OPEN, stream, request, {"host": host})
        on.agent.output(request, b"ready\n")
        on.editor.wait_output("ready")
        on.editor.lua("vim.ui.select = function(all, _, done) done(all[2]) end")
        on.editor.command("IgorInput go")
        assert on.agent.frame(Kind.BYTES)[1:3] == [4, b"go\n"]


# -- nvim-dap


@pytest.mark.usefixtures("dap")
def test_nvim_dap_s_own_list_starts_the_program(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        on.editor.lua(
            "vim.ui.select = function(all, o, done) vim.g.offered = vim.tbl_map(o.format_item, all)"
            " done(all[1]) end; require('dap').continue()"
        )
        request = on.agent.request()
        assert on.editor.nvim.vars["offered"] == [
            f"igor: {FILE}", "igor: the test under the cursor",
        ]  # fmt: skip
        listens(on.agent, request, on, its.number)
        connection = its.accept()
        assert b"initialize" in connection.recv(1000)
        config = on.editor.lua("return require('dap').session().config")
        assert config["connect"] == {"host": "127.0.0.1", "port": its.number}
        mapping = {"localRoot": str(on.project.resolve()), "remoteRoot": "/workspace"}
        assert config["pathMappings"] == [mapping]
        on.agent.finish(request)
        on.editor.wait("the end", lambda: on.editor.lua("return not require('dap').session()"))


@pytest.mark.usefixtures("dap")
def test_a_program_that_does_not_start_ends_nvim_dap_s_wait(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.editor.lua(
            "vim.ui.select = function(a, _, done) done(a[1]) end; require('dap').continue()"
        )
        request = on.agent.request()
        on.agent.finish(request, 1, "no debugpy there")
        on.editor.wait_message("Run aborted")


@pytest.mark.usefixtures("dap")
def test_a_malformed_command_ends_nvim_dap_s_wait(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.editor.lua(
            "vim.ui.select = function(a, _, done) done(a[2]) end; require('dap').continue()"
        )
        on.editor.wait_message("no test under the cursor")
        on.editor.wait_message("Run aborted")


@pytest.mark.usefixtures("dap")
def test_a_cancelled_command_ends_nvim_dap_s_wait(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        on.editor.keys("Gox<Esc>")
        on.editor.lua(
            "vim.ui.select = function(all, o, done)"
            " done(not o.prompt:find('Not written') and all[1] or nil) end;"
            " require('dap').continue()"
        )
        on.editor.wait_message("igor: not run")
        on.editor.wait_message("Run aborted")
        assert on.agent.received.empty()


@pytest.mark.usefixtures("dap")
def test_nvim_dap_is_loaded_only_when_used(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home) as on:
        assert not on.editor.lua("return package.loaded.dap ~= nil")
        assert on.editor.lua("return require('dap').providers.configs.igor ~= nil")


def test_the_users_adapters_stay(nvim: Path, home: Path, dap: None) -> None:
    with debug_scene(nvim, home) as on, port() as its:
        on.editor.lua("require('dap').adapters.debugpy = { type = 'executable' }")
        listens(on.agent, on.start("IgorDebug"), on, its.number)
        its.accept()
        assert on.editor.lua("return require('dap').adapters.debugpy") == {"type": "executable"}


# -- options


@pytest.mark.usefixtures("dap")
def test_the_debugger_option_needs_an_installed_plugin(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home, '{"debugger": "vimspector"}') as on:
        on.editor.command("IgorDebug")
        on.editor.wait_message("Vimspector is not installed")


def test_an_unknown_debugger_option_is_an_error(nvim: Path, home: Path) -> None:
    with debug_scene(nvim, home, '{"debugger": "gdb"}') as on:
        on.editor.wait_message("debugger must be one of auto, vimspector, dap, not gdb")
