"""Programs that already run on a host, for debuggers to attach to."""

import itertools
import re
import shutil
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.lab.cache import late_program
from tests.lab.required import require_peer
from tests.support.agent_client import Seen, client
from tests.support.sample_project import SampleProject

PROGRAM = """\
import os
import time


def step(number):
    text = f"step {number}"
    print(text, flush=True)
    time.sleep(0.1)


number = 0
while not os.path.exists("/tmp/stop"):
    number += 1
    step(number)
print("the end", flush=True)
"""


FILE = "jobs/deep/steps.py"


STOP = 7


#: Debian's Python 3.14 with the debugpy of another version: it has parts in plain Python.
LATE = """\
FROM igor-base:latest
ENV PYTHONPATH=/venv/tools/lib/python3.11/site-packages PYTHONPYCACHEPREFIX=/tmp/compiled
"""


PYTHON = "/opt/python3.14/usr/bin/python3.14"


PTRACE = "--cap-add=SYS_PTRACE"


_numbers = itertools.count(1)


def make_project(folder: Path, host: Host, dockerfile: str, **config: Any) -> SampleProject:
    project = SampleProject(folder / f"attached{next(_numbers)}", [host])
    project.write("dockerfile", dockerfile)
    project.write(FILE, PROGRAM)
    port = 21000 + 20 * next(_numbers)
    project.configure(docker_rebuild_files=[], debug_port=port, **config)
    return project


def mounted(host: Host, name: str) -> str:
    """Return the option that mounts a program of a later Debian into containers."""
    folder = host.path(name)
    if not folder.exists():
        shutil.copytree(late_program(name), folder, symlinks=True)
    return f"--volume={host.home}/{name}:/opt/{name}:ro"


def late_config(host: Host, *more: str) -> dict[str, Any]:
    """Return the config of a project whose Python is 3.14."""
    require_peer("python 3.14")
    volume = mounted(host, "python3.14")
    return {"docker_run_args": [volume, *more], "debug": {"python": PYTHON}}


class Running:
    """The program, started by `igor run`; its output is read only while a method waits for it.

    `place` counts those that run in the container.
    """

    def __init__(self, project: SampleProject, place: int = 0) -> None:
        self.project = project
        self._process = project.start("run", FILE)
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self.goes_on()
        self.pid: int = self.processes()[place]["pid"]

    def processes(self) -> list[dict[str, Any]]:
        outcome = Seen(client(), "processes", self.project.root).end()
        found: list[dict[str, Any]] = outcome["data"]["processes"]
        return found

    def step(self) -> int:
        """Return the program's next step."""
        found = re.match(r"step (\d+)", self._output.readline())
        assert found
        return int(found[1])

    def goes_on(self) -> None:
        """Wait until the program takes steps again."""
        first = self.step()
        while self.step() < first + 5:
            pass

    def end(self) -> str:
        host, name = self.project.hosts[0], f"dino-{self.project.root.name}-dev"
        host.docker("exec", name, "touch", "/tmp/stop")
        output, _ = self._process.communicate(timeout=20)
        return output

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
