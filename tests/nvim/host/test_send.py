"""Sending to real REPLs on a host: nothing is lost, and nothing comes before its prompt."""

import json
import time
from pathlib import Path

import pytest

from tests.lab import Host
from tests.support.agent_client import project_without_containers
from tests.support.nvim.editor import running
from tests.support.nvim.sending import SAID, SOURCE
from tests.support.nvim.terminals import LEAVE_TERMINAL, Repl, repl

pytestmark = pytest.mark.timeout(200)

LINES = 10000


@pytest.fixture
def project(ssh_home: Path, plain_host: Host) -> Path:
    """A project whose REPL is the host's own Python."""
    root = project_without_containers(
        ssh_home / f"send-{time.time_ns() % 10**9}" / "project", plain_host.name
    )
    config = json.loads((root / ".igor/config.json").read_text())
    config["repl_cmd"] = "sh -c 'sleep 1; exec python3 -q'"
    (root / ".igor/config.json").write_text(json.dumps(config))
    (root / "main.py").write_text(SOURCE)
    return root


def test_python_is_opened_by_what_is_sent_and_gets_it_at_its_prompt(
    nvim: Path, home: Path, project: Path
) -> None:
    with running(nvim, home, project, "{}", "main.py") as editor:
        editor.keys(":IgorSend!<CR>")
        python = Repl(editor, "python3")
        python.see("the end")
        assert [line for line in SAID if line not in python.text] == []
        assert python.text.count(">>> ") > 5
        assert editor.mode() == "n"
        assert editor.nvim.current.buffer.name.endswith("main.py")
        assert len(editor.nvim.windows) == 2
        editor.keys("gg:call setline(1, ['import time', 'time.sleep(2)', 'z = 7', 'z * 3'])<CR>")
        editor.keys(":1,3IgorSend<CR>:4IgorSend<CR>")
        python.see("\n21")
        assert ">>> z * 3" in python.text


def test_a_shell_gets_all_lines_and_none_of_them_acts(
    nvim: Path, home: Path, project: Path
) -> None:
    lines = [f"n=$((n + {number}))" for number in range(LINES)]
    (project / "all.sh").write_text("\n".join([*lines, "echo all: $n"]))
    (project / "bad.sh").write_text("echo a\x1b[201~\rexit\r\necho 'b''c'\r\n")
    with running(nvim, home, project, "{}", "all.sh") as editor:
        shell = repl(editor, " bash --norc", "$ ")
        editor.keys("sleep 1<CR>")
        editor.keys(f"{LEAVE_TERMINAL}<C-w>p:IgorSend!<CR>")
        shell.see(f"all: {sum(range(LINES))}", 60)
        editor.keys(":edit ++ff=unix bad.sh<CR>:%IgorSend<CR>")
        shell.see("\nbc")
        assert "a[201~exit" in shell.text
        editor.wait_message("2 control characters were left out")
        assert shell.state == "running"


def test_a_program_that_reads_late_gets_all_of_it(nvim: Path, home: Path, project: Path) -> None:
    (project / "long.txt").write_text("\n".join(f"{n} " + "x" * 90 for n in range(LINES)))
    with running(nvim, home, project, "{}", "long.txt") as editor:
        editor.keys(":IgorRepl stty -echo; sleep 4; wc -lc<CR>")
        late = Repl(editor, "stty")
        late.reach("running")
        editor.keys(f"{LEAVE_TERMINAL}<C-w>p:IgorSend!<CR>")
        time.sleep(8)
        editor.command("wincmd p")
        editor.keys("i<C-d>")
        size = sum(len(f"{n} ") + 91 for n in range(LINES))
        late.see(str(size), 60)
        assert str(LINES) in late.text.split()
