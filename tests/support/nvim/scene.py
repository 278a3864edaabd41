"""A small project, an editor in it, and the fake agent that the editor's bridge finds."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.fake_agent import FakeAgent
from tests.support.nvim.editor import Editor, running

CONFIG = {
    "user": "dino",
    "host_groups": {
        "dev": {"hosts": [{"host": "apollo", "dir": "/data/dev"}]},
        "cluster": {
            "hosts": [
                {"host": "apollo", "dir": "/data/dev"},
                {"host": "enterprise", "dir": "/data/dev"},
            ]
        },
    },
}


class Scene(NamedTuple):
    editor: Editor
    agent: FakeAgent
    project: Path

    def start(self, command: str) -> int:
        """Run a command in the editor; return the number of the request that reached the agent."""
        self.editor.command(command)
        return self.agent.request()


def make_project(home: Path) -> Path:
    """Create the project in `home`, or reset an existing one."""
    project = home / "project"
    (project / ".igor").mkdir(parents=True, exist_ok=True)
    (project / ".igor" / "config.json").write_text(json.dumps(CONFIG))
    (project / "main.py").write_text("print('hello')\n")
    return project


@contextmanager
def scene(nvim: Path, home: Path, setup: str = "{}", *arguments: str) -> Iterator[Scene]:
    project = make_project(home)
    agent = FakeAgent(home / "run")
    try:
        with running(nvim, home, project, setup, *arguments) as editor:
            yield Scene(editor, agent, project)
    finally:
        agent.close()


def processes_with(mark: str) -> list[int]:
    """Return the ids of the processes whose command line contains `mark`."""
    found = subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]
