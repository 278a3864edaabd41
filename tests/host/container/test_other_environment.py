"""A further kind of environment is received by the recipes as they are.

`Jail` stands in for a pod or an experiment's run: its programs see the project at a path of their
own, are started through a program of the host, and can be down.
"""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from igor_core.agent.server import Server
from igor_core.debug.processes.unreadable import ON_HOST
from igor_core.environment import Environment
from igor_core.environment.base import marked_variables
from igor_core.environment.kill_inside import ENDING, announcing, killer
from igor_core.environment.marked import mark_ender
from igor_core.errors import HostError
from igor_core.ssh.process import Command, Completed
from igor_core.verbs.steps import targets
from tests.lab import Host
from tests.lab.host import USER
from tests.support.cli_process import Terminal
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

JAIL = f"/home/{USER}/jail"
WAIT = """\
import time


def wait():
    print("up", flush=True)
    time.sleep(600)


wait()
"""
FILES = {
    "who.py": "import os, sys\nprint(os.environ['JAIL'], os.environ['PWD'], sys.argv)\n",
    "wait.py": WAIT,
}
#: The program that starts others in the jail, as `kubectl exec` does in a pod.
ENTER = f"""\
#!/bin/sh
[ -e {JAIL}/up ] || exec sh -c 'echo the jail is down >&2; exit 1'
cd {JAIL}/project && JAIL=yes exec "$@"
"""


class Jail(Environment):
    """Programs are started by `enter` in JAIL and see the project as `project` in it."""

    container = None
    remedies = ON_HOST
    superuser = ""
    root = process_folder = f"{JAIL}/project"
    files = "the jail's"

    def __init__(self, **fields: object) -> None:
        super().__init__(**fields)  # type: ignore[arg-type]
        self.where = f"in the jail on {self.name}"
        self.helper_folder = self.paths.run

    def _enter(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> list[str]:
        pairs = [f"{name}={value}" for name, value in (env or {}).items()]
        return [f"{JAIL}/enter", "env", *pairs, *argv]

    def command(
        self,
        argv: Sequence[str],
        *,
        window: tuple[int, int] | None = None,
        env: Mapping[str, str] | None = None,
        signals: Sequence[str] = ENDING,
    ) -> Command:
        return Command(
            self._enter(announcing(argv), env), cwd="/", pty=window, announce=True,
            end=self._enter(killer(signals)),
        )  # fmt: skip

    async def run(self, argv: Sequence[str], *, input: bytes = b"", user: str = "") -> Completed:
        return await self.remote.run(self._enter(argv), input=input)

    def marked(
        self, argv: Sequence[str], mark: str, env: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str]:
        return self._enter(argv, marked_variables(mark, env)), {}, "/"

    async def end_marked(self, mark: str) -> str:
        done = await self.run(mark_ender(mark))
        return (done.stdout.decode().split() or ["gone"])[-1]

    async def why_down(self) -> HostError | None:
        if (await self.remote.run(["test", "-e", f"{JAIL}/up"])).status == 0:
            return None
        return HostError(f"the jail on {self.name} is down", "open it")

    async def why_not_begun(self, done: Completed) -> HostError | None:
        return await self.why_down()

    async def check_was_not_lost(self, status: int) -> None:
        if status and (error := await self.why_down()) is not None:
            raise error

    @property
    def identity(self) -> str:
        return f"jail-{self.project.name}"

    def as_programs_see(self, path: str) -> str:
        return path.replace(self.paths.tree, self.root, 1)

    async def real_root(self) -> str:
        return self.paths.tree

    def open_ports(self) -> str:
        return ""


@pytest.fixture
async def project(
    ssh_home: Path, plain_host: Host, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SampleProject]:
    """A project whose programs run in the jail, and this process as the agent."""

    def jail(name: str, project: object, group: str, entry: object, remote: object) -> Environment:
        return Jail(name=name, project=project, group=group, entry=entry, remote=remote)

    monkeypatch.setattr(targets, "environment_of", jail)
    name = f"jailed-{time.time_ns() % 10**9}"
    made = make_project(ssh_home / name, [plain_host], FILES, runtime="none")
    tree = f"{plain_host.home}/dev/{name}"
    script = f"""mkdir -p {JAIL} && ln -sfn {tree} {JAIL}/project && touch {JAIL}/up &&
        cat >{JAIL}/enter && chmod 755 {JAIL}/enter"""
    plain_host.run(["sh", "-c", script], input=ENTER, check=True)
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    server = Server(idle_after=600)
    serving = asyncio.ensure_future(server.serve(None))
    yield made
    server.stop("the test is over")
    await serving
    for number, handler in kept.items():
        signal.signal(number, handler)
    plain_host.run(["rm", "-rf", JAIL], check=True)


async def igor(project: SampleProject, *words: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(project.igor, *words)


async def test_exec_run_read_and_their_failures(project: SampleProject, plain_host: Host) -> None:
    done = await igor(project, "docker", "exec", "python3", "who.py")
    assert done.stdout == f"yes {JAIL}/project ['who.py']\n", done.stderr
    done = await igor(project, "run", "who.py", "a b")
    assert done.stdout == f"yes {JAIL}/project ['who.py', 'a b']\n", done.stderr
    plain_host.run(["rm", f"{JAIL}/up"], check=True)
    done = await igor(project, "docker", "exec", "python3", "who.py")
    assert "the jail on plain is down" in done.stderr


async def test_a_program_there_is_listed_read_and_ended(project: SampleProject) -> None:
    running = await asyncio.to_thread(project.start, "run", "wait.py")
    assert running.stdout is not None
    assert await asyncio.to_thread(running.stdout.readline) == "up\n"
    done = await igor(project, "stack")
    assert "wait.py" in done.stdout, done.stderr
    assert "wait (wait.py:6)" in done.stdout
    running.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(running.wait, 60) == 130
    done = await igor(project, "stack")
    assert "no Python process of this project" in done.stdout + done.stderr


async def test_a_repl_has_its_terminal_there(project: SampleProject) -> None:
    def talk() -> None:
        terminal = Terminal("docker", "repl", "python3", "-q", cwd=project.root)
        terminal.wait_for(">>> ")
        terminal.type("import os; os.environ['JAIL'] + os.environ['PWD']\r")
        terminal.wait_for(f"'yes{JAIL}/project'")
        terminal.type("exit(7)\r")
        assert terminal.end() == 7

    await asyncio.to_thread(talk)
