""":checkhealth igor."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from igor_core.agent.client import connect
from tests.support.nvim.debugging import stand_in
from tests.support.nvim.editor import INIT, variables
from tests.support.nvim.scene import make_project

#: The installed front ends of debuggers, and what the report says about them.
FRONT_ENDS = {
    "neither": ((), ":IgorDebug has no front end: neither Vimspector nor nvim-dap is installed"),
    "nvim-dap": (("dap",), ":IgorDebug shows sessions in nvim-dap"),
    "vimspector": (("vimspector",), ":IgorDebug shows sessions in Vimspector"),
    "both": (("dap", "vimspector"), ":IgorDebug shows sessions in Vimspector"),
}


def health(nvim: Path, home: Path, place: Path, **more: str) -> str:
    env = {**os.environ, **variables(home), **more}
    command = [nvim, "--headless", "-u", INIT, "+checkhealth igor", "+silent w! report", "+qa!"]
    subprocess.run(command, env=env, cwd=place, check=True, capture_output=True, timeout=60)
    return (place / "report").read_text()


def test_health_is_well_where_all_is_there(nvim: Path, home: Path) -> None:
    project = make_project(home)
    (project / "json.py").write_text("raise SystemExit('code of the project ran')")
    report = health(nvim, home, project)
    assert "no agent is running; the first command starts one" in report
    with contextlib.closing(connect("test", answers=False)):
        report = health(nvim, home, project)
    assert "an agent runs: igor " in report
    assert "ERROR" not in report
    assert "the commands are registered" in report
    assert "igor's own host" in report
    assert "asyncssh" in report
    assert "host groups cluster, dev" in report
    assert ":IgorDebug has no front end" in report


def test_health_names_what_is_missing_with_its_remedy(nvim: Path, home: Path) -> None:
    tools = home / "bin"
    tools.mkdir()
    for name in ("sh", "env", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or "")
    report = health(nvim, home, home, PATH=str(tools), IGOR_TEST_SETUP='{"python": "/no/python"}')
    assert "/no/python can not run igor" in report
    assert "make install" in report
    assert "git is missing" in report
    assert "rsync is missing" in report
    assert "no .igor/config.json here or above" in report


@pytest.mark.parametrize("installed", FRONT_ENDS)
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_health_names_the_debugger_in_a_project_and_outside(
    nvim: Path, home: Path, installed: str, inside: bool
) -> None:
    plugins, said = FRONT_ENDS[installed]
    runtime = ",".join(str(stand_in(name)) for name in plugins)
    place = make_project(home) if inside else home
    report = health(nvim, home, place, **({"IGOR_TEST_RUNTIME": runtime} if runtime else {}))
    assert said in report
    assert "Failed to run healthcheck" not in report
    assert "ERROR" not in report
    assert ("host groups cluster, dev" in report) == inside
    assert ("no .igor/config.json" in report) != inside


def test_health_says_what_to_do_for_a_debugger_that_is_not_installed(
    nvim: Path, home: Path
) -> None:
    report = health(nvim, home, home, IGOR_TEST_SETUP='{"debugger": "dap"}')
    assert "nvim-dap is not installed" in report
    assert ":help |igor-option-debugger|" in report
