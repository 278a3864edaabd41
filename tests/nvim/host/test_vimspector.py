"""F5 in Vimspector itself, without igor: by the file that igor has generated.

Vimspector is taken from $IGOR_PLUGINS, a folder with its checkout.
"""

import os
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.required import require_plugin
from tests.support.debugged import FILE, PROGRAM, STOP, InContainer, make_project
from tests.support.nvim.editor import running
from tests.support.nvim.front_ends import Vimspector

pytestmark = pytest.mark.timeout(120)

#: ssh reads the configuration of whoever runs the tests, by the system's list of users.
SSH = '#!/bin/sh\nexec /usr/bin/ssh -F "{config}" "$@"\n'


def test_f5_debugs_the_file_in_the_window_in_the_container(
    nvim: Path, home: Path, ssh_home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(require_plugin("vimspector")))
    programs = home / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(SSH.format(config=ssh_home / ".ssh" / "config"))
    (programs / "ssh").chmod(0o755)
    project = make_project(ssh_home, lab["apollo"])
    odd = "it's/a $HOME file.py"
    project.write(odd, PROGRAM)
    assert project.igor("docker", "setup").returncode == 0
    assert project.igor("vimspector").returncode == 0
    project.igor("agent", "stop")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with running(nvim, home, project.root, "{}", *Vimspector.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        front = Vimspector(editor)
        for file in (FILE, odd):
            editor.nvim.command(f"edit {editor.nvim.funcs.fnameescape(str(project.root / file))}")
            editor.nvim.vars["jumps"] = 0
            front.breakpoint(project.root / file, STOP)
            front.call("Continue")
            assert front.stop(project.root / file, STOP).text == "answer += 1"
            assert front.value("answer") == "41"
            front.end()
            editor.wait("its windows are gone", front.is_closed, 30)
        # Reset lets a program run on, as Vimspector's own rule is; this one ends.
        InContainer(project).wait_until_empty()
