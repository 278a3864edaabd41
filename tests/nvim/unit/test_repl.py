""":IgorRepl in real editors: which REPL, where, its start and its end; the agent is a fake."""

from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from tests.support.nvim.editor import CHECKOUT, Editor, running
from tests.support.nvim.scene import Scene, scene
from tests.support.nvim.terminals import LEAVE_TERMINAL, Repl

BRACKETS_ON, BRACKETS_OFF = b"\x1b[?2004h", b"\x1b[?2004l"
# Record each question; the test answers it.
KEEP_QUESTIONS = """
_G.asked = {}
vim.ui.select = function(choices, given, answer)
  table.insert(_G.asked, given.prompt .. ' ' .. table.concat(choices, ' '))
  _G.answer = function(number)
    answer(choices[number])
  end
end
"""
COMMAND = "return require('igor').repl_command(...)"


class Program:
    """The program of a REPL, played by the fake agent."""

    def __init__(self, on: Scene, stream: int = 2) -> None:
        self._on, self._stream = on, stream
        self.frame = on.agent.frame(Kind.REQUEST)
        self.args: dict[str, Any] = self.frame[4]
        on.agent.event(self.frame[1], "accepted", job=9, verb="repl")

    def runs(self, data: bytes) -> None:
        self._on.agent.send(Kind.OPEN, self._stream, self.frame[1], {"host": "apollo"})
        self.writes(data)

    def writes(self, data: bytes) -> None:
        self._on.agent.send(Kind.BYTES, self._stream, data)

    def reads(self, end: bytes) -> bytes:
        """Read the typed text, up to `end`."""
        data = b""
        while not data.endswith(end):
            data += self._on.agent.frame(Kind.BYTES)[2]
        return data

    def ends(self, status: int, reason: str = "") -> None:
        self._on.agent.send(Kind.CLOSE, self._stream, status, reason)
        self._on.agent.finish(self.frame[1], 255 if reason else status)


def names(editor: Editor) -> list[str]:
    return [b.name for b in editor.nvim.buffers if b.name.startswith("igor-repl://")]


def typing(editor: Editor) -> None:
    editor.wait("terminal mode", lambda: editor.mode() == "t")


@pytest.mark.parametrize(
    ("words", "asked", "name"),
    [
        ("", {}, "python"),
        (" bash", {"argv": ["bash"]}, "bash"),
        (" python  -i x.py", {"argv": ["python", "-i", "x.py"]}, "python -i x.py"),
        (" ls 'a  b' | wc", {"shell": "ls 'a  b' | wc"}, "ls 'a  b' | wc"),
        (" --host apollo --no-push top", {"argv": ["top"], "no_push": True}, "top"),
        (" -- -x", {"argv": ["-x"]}, "-x"),
    ],
)
def test_a_command_becomes_a_terminal_with_its_own_size(
    nvim: Path, home: Path, words: str, asked: dict[str, Any], name: str
) -> None:
    with scene(nvim, home) as on:
        on.editor.keys(f":IgorRepl{words}<CR>")
        program = Program(on)
        assert program.frame[2:4] == ["repl", str(on.project)]
        given = {key: program.args.get(key) for key in ("argv", "shell", "no_push")}
        assert {key: value for key, value in given.items() if value} == asked
        window = on.editor.nvim.current.window
        assert (program.args["columns"], program.args["rows"]) == (window.width, window.height)
        assert names(on.editor) == [f"igor-repl://project/apollo/{name}"]
        typing(on.editor)
        program.runs(b"ready\r\n")
        Repl(on.editor, name).see("ready")
        on.editor.keys("x")
        assert program.reads(b"x") == b"x"
        on.editor.keys(f"{LEAVE_TERMINAL}:bdelete!<CR>")
        on.agent.wait_for_hang_up()
        on.editor.wait("no buffer", lambda: names(on.editor) == [])
        assert on.editor.messages() == ""


def test_the_same_command_goes_to_the_repl_that_is_there(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        editor = on.editor
        editor.command("IgorRepl bash")
        Program(on).runs(b"$ ")
        typing(editor)
        first = editor.nvim.current.window
        editor.keys(f"{LEAVE_TERMINAL}:wincmd p<CR>")
        editor.keys(":IgorRepl bash<CR>")
        editor.wait("the first", lambda: editor.nvim.current.window == first)
        typing(editor)
        assert len(names(editor)) == 1
        editor.keys(f"{LEAVE_TERMINAL}:close<CR>:IgorRepl bash<CR>")
        editor.wait("it in a new window", lambda: "bash" in editor.nvim.current.buffer.name)
        editor.keys(f"{LEAVE_TERMINAL}:IgorRepl! bash<CR>")
        editor.wait("another", lambda: len(names(editor)) == 2)
        assert names(editor)[1] == "igor-repl://project/apollo/bash (2)"
        editor.keys(f"{LEAVE_TERMINAL}:IgorRepl bash -l<CR>")
        editor.wait("a third", lambda: len(names(editor)) == 3)


def test_of_several_hosts_it_asks_which_and_remembers(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(KEEP_QUESTIONS)
        on.editor.command("IgorRepl -g cluster bash")
        on.editor.wait("the question", lambda: on.editor.lua("return #_G.asked == 1"))
        assert on.editor.lua("return _G.asked[1]") == "REPL on which host? apollo enterprise"
        on.editor.lua("_G.answer(2)")
        assert Program(on).args["hosts"] == ["enterprise"]
        on.editor.keys(f"{LEAVE_TERMINAL}:IgorRepl! -g cluster bash<CR>")
        assert Program(on).args["hosts"] == ["enterprise"]
        on.editor.keys(f"{LEAVE_TERMINAL}:IgorRepl -g cluster --host apollo bash<CR>")
        assert Program(on).args["hosts"] == ["apollo"]
        assert on.editor.lua("return #_G.asked") == 1
        found = on.editor.lua(COMMAND, "bash", {"group": "cluster"})
        assert found[found.index("--host") + 1] == "apollo"
        on.editor.keys(f"{LEAVE_TERMINAL}:IgorRepl -g cluster --host a --host b<CR>")
        on.editor.wait_message("a REPL runs on one host")


def test_changed_buffers_are_asked_about(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.lua(KEEP_QUESTIONS)
        on.editor.nvim.current.line = "changed"
        on.editor.command("IgorRepl bash")
        on.editor.wait("the question", lambda: on.editor.lua("return #_G.asked == 1"))
        assert on.editor.lua("return _G.asked[1]").startswith("Not written: main.py write all")
        assert names(on.editor) == []
        on.editor.lua("_G.answer(1)")
        Program(on)
        assert (on.project / "main.py").read_text() == "changed\n"


def test_the_window_is_where_the_options_say(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"repl": {"position": "right", "size": 30}}') as on:
        on.editor.command("IgorRepl")
        assert Program(on).args["columns"] == 30
        assert on.editor.nvim.current.window.col > 0


def test_what_is_sent_waits_for_the_prompt_and_the_windows_follow(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.keys(":IgorSend<CR>")
        program = Program(on)
        assert on.editor.mode() == "n"
        program.runs(b"Welcome\r\n" * 50 + b"In [1]: ")
        Repl(on.editor, "python").see("In [1]")
        assert on.agent.received.empty()
        program.writes(BRACKETS_ON)
        assert program.reads(b"~\r") == b"\x1b[200~print('hello')\x1b[201~\r"
        program.writes(BRACKETS_OFF + b"\r\nhello\r\n")
        on.editor.keys(":IgorSend<CR>")
        program.writes(b"still at it\r\n" * 50)
        Repl(on.editor, "python").see("still at it")
        assert on.agent.received.empty()
        program.writes(b"In [2]: " + BRACKETS_ON)
        assert program.reads(b"~\r") == b"\x1b[200~print('hello')\x1b[201~\r"
        on.editor.wait("its end", lambda: "In [2]" in Repl(on.editor, "python").visible())


def test_what_follows_on_the_line_changes_nothing(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.keys(":IgorSend | enew<CR>")
        program = Program(on)
        program.runs(b"In [1]: " + BRACKETS_ON)
        assert program.reads(b"~\r") == b"\x1b[200~print('hello')\x1b[201~\r"


def test_it_opens_when_the_command_line_window_is_closed(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.keys("q:")
        place = on.editor.lua("return vim.fn.getcwd()")
        on.editor.lua(f"require('igor.repl').open('{place}', {{ shell = 'bash' }}, false)")
        before = len(on.editor.lua("return vim.api.nvim_list_bufs()"))
        on.editor.lua("vim.wait(500)")
        assert len(on.editor.lua("return vim.api.nvim_list_bufs()")) == before
        on.editor.keys("<C-c><C-c>")
        on.agent.request()


@pytest.mark.parametrize("line", ["<DataLoader object at 0x7f>", "accuracy 93%", "cost: 3 $"])
def test_output_that_ends_like_a_prompt_is_none(nvim: Path, home: Path, line: str) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.keys(":IgorSend<CR>")
        program = Program(on)
        program.runs(BRACKETS_ON + b"In [1]: ")
        assert program.reads(b"~\r")
        program.writes(BRACKETS_OFF + b"\r\n" + line.encode() + b"\r\n")
        Repl(on.editor, "python").see(line)
        on.editor.keys(":IgorSend<CR>")
        on.editor.wait_message("busy; input is queued until the prompt returns")
        assert on.agent.received.empty()
        program.writes(b"In [2]: " + BRACKETS_ON)
        assert program.reads(b"~\r") == b"\x1b[200~print('hello')\x1b[201~\r"


def test_after_a_lost_connection_one_key_starts_again_in_normal_mode_too(
    nvim: Path, home: Path
) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.keys(":IgorRepl bash<CR>")
        shell = Repl(on.editor, "bash")
        program = Program(on)
        program.runs(b"kept\r\n$ ")
        shell.see("kept")
        for number, keys in enumerate(("r", f"{LEAVE_TERMINAL}r"), 4):
            typing(on.editor)
            program.ends(255, "the connection to apollo was lost")
            shell.reach("lost")
            assert "r starts again" in shell.visible()
            on.editor.keys(keys)
            program = Program(on, number * 2)
            program.runs(b"$ ")
            shell.reach("running")
            on.editor.keys("" if keys == "r" else "i")
        on.editor.keys("x")
        assert program.reads(b"x") == b"x"
        assert shell.text.startswith("kept")
        on.editor.keys(f"{LEAVE_TERMINAL}")
        assert on.editor.nvim.call("maparg", "r", "n") == ""


def test_a_program_that_fails_keeps_its_text(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.keys(":IgorRepl bash<CR>")
        shell = Repl(on.editor, "bash")
        program = Program(on)
        program.runs(b"why it failed\r\n")
        shell.see("why it failed")
        program.ends(3)
        shell.reach("ended")
        on.editor.wait("normal mode", lambda: on.editor.mode() in ("nt", "n"))
        on.editor.keys("jjk")
        assert "why it failed" in shell.text
        windows = len(on.editor.nvim.windows)
        on.editor.command("IgorRepl bash")
        Program(on)
        assert len(on.editor.nvim.windows) == windows


def test_the_command_of_other_plugins_runs_anywhere(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        found = on.editor.lua(COMMAND)
        assert found[-4:] == ["-C", str(on.project), "docker", "repl"]
        assert on.editor.lua(COMMAND, "python -i x.py")[-3:] == ["python", "-i", "x.py"]
        assert on.editor.lua(COMMAND, ["sh", "-c", "a b"])[-4:] == ["--", "sh", "-c", "a b"]
        on.editor.lua("vim.cmd.new(); vim.fn.termopen(...)", found)
        assert Program(on).frame[2:4] == ["repl", str(on.project)]
    with running(nvim, home / "elsewhere", Path("/")) as editor:
        assert editor.lua(COMMAND) is None


def test_without_the_installed_script_the_command_is_igor_s_python(
    nvim: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.lua("vim.fn.executable = function() return 0 end")
        found = on.editor.lua(COMMAND, "bash")
        assert found[1:3] == ["-E", "-c"]
        assert str(CHECKOUT) in found
        monkeypatch.chdir("/")
        on.editor.lua("vim.cmd.new(); vim.fn.termopen(...)", found)
        assert Program(on).args["argv"] == ["bash"]


def test_outside_of_a_project_it_says_so(nvim: Path, home: Path) -> None:
    with running(nvim, home, home) as editor:
        editor.command("IgorRepl")
        editor.wait_message("is not in a project of igor")
        assert names(editor) == []
