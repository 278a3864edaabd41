"""Igor's own Pythons take nothing from the variables that are for the project's Python."""

from pathlib import Path

import pytest

from igor_core.agent.protocol import Kind
from tests.support.cli_process import environment, igor
from tests.support.nvim.scene import scene

#: What a project may have: modules named like the standard library's, and an old or broken package.
NAMES = ("queue", "types", "re", "logging", "asyncio", "asyncssh", "msgpack", "pynvim")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for name in NAMES:
        text = f"raise SystemExit('{name} of the project')\n"
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def variables(library: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(library), "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}


def test_the_command_line_and_the_agent_run_as_ever(library: Path, home: Path) -> None:
    env = environment(**variables(library))
    done = igor("--version", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    (home / "p" / ".igor").mkdir(parents=True)
    hosts = '{"hosts": [{"host": "127.0.0.1", "port": 9, "dir": "/tmp"}]}'
    config = f'{{"runtime": "none", "host_groups": {{"dev": {hosts}}}}}'
    (home / "p" / ".igor" / "config.json").write_text(config)
    done = igor("-C", str(home / "p"), "push", env=env)
    assert b"127.0.0.1 refuses the connection" in done.stderr
    assert b"of the project" not in done.stdout + done.stderr
    status = igor("agent", "status", env=env)
    assert (status.returncode, status.stderr) == (0, b"")
    assert igor("agent", "stop", env=env).returncode == 0


def test_the_editor_runs_as_ever(
    library: Path, nvim: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(library).items():
        monkeypatch.setenv(name, value)
    with scene(nvim, home, "{}", "main.py") as on:
        on.editor.command("IgorPush")
        assert on.agent.frame(Kind.REQUEST)[2] == "push"
        assert on.editor.lua("return vim.env.PYTHONPATH") == str(library)
