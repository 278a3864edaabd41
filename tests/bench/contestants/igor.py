"""igor without an editor: its command, and its agent asked over the socket as an editor does."""

import json
import time
from functools import partial
from pathlib import Path
from typing import ClassVar

from igor_core.agent.client import Client
from igor_core.agent.protocol import Kind
from tests.bench import BenchError
from tests.bench.contestants.base import Contestant
from tests.bench.contestants.listener import Listener, ask_agent
from tests.bench.tree import Edit
from tests.bench.watch import Turn
from tests.support.cli_process import COMMAND


class IgorCommand(Contestant):
    """`igor push` as a whole process; the agent runs."""

    #: Keys beside those that every project has.
    config: ClassVar[dict[str, object]] = {}

    def open(self) -> None:
        self._configure()
        self.igor("trust")

    def move_to(self, folder: str) -> None:
        super().move_to(folder)
        self._configure()

    def turn(self, edit: Edit) -> Turn:
        edit.apply()
        began = self.room.start([*COMMAND, "push"], cwd=self.ground.tree.root)
        return Turn(lambda: began, self.room.answers, self._has_ended)

    def igor(self, *words: str) -> None:
        self.room.run([*COMMAND, *words], cwd=self.ground.tree.root)

    def peak_memory(self) -> float | None:
        return self.memory("VmHWM")

    def memory(self, field: str) -> float:
        """The agent's memory by that line of /proc/PID/status, in MB."""
        runtime = Path(self.room.environment["XDG_RUNTIME_DIR"])
        pid = (runtime / "igor" / "agent.pid").read_text().split()[0]
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        (found,) = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
        return int(found) / 1024

    def _has_ended(self) -> bool:
        self.room.finish()
        return True

    def _configure(self) -> None:
        folder = f"{self.ground.hosts[0].home}/{self.ground.folder}"
        hosts = [{"host": host.name, "dir": folder} for host in self.ground.hosts]
        groups = {"dev": {"hosts": hosts}}
        config = {"user": "bench", "runtime": "none", "host_groups": groups, **self.config}
        path = self.ground.tree.root / ".igor" / "config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(config, indent=2))


class ColdIgorCommand(IgorCommand):
    """`igor push` that has to start the agent and to connect."""

    def turn(self, edit: Edit) -> Turn:
        self.igor("agent", "stop")
        return super().turn(edit)


class IgorAgent(IgorCommand):
    """A push asked of the agent over its socket, as `:IgorPush` does."""

    client: Client | None = None

    def open(self) -> None:
        super().open()
        self.igor("push")
        self.client = ask_agent(self.room.environment)

    def turn(self, edit: Edit) -> Turn:
        assert self.client
        edit.apply()
        began = time.monotonic_ns()
        number = self.client.request("push", str(self.ground.tree.root), {})
        return Turn(lambda: began, self.client.fileno(), partial(self._has_finished, number))

    def close(self) -> None:
        if self.client:
            self.client.close()

    def _has_finished(self, number: int) -> bool:
        assert self.client
        for kind, ident, outcome in self.client.receive():
            if kind is Kind.FINISHED and ident == number:
                if outcome["status"] != 0:
                    raise BenchError(f"igor's push ended with {outcome}")
                return True
        return False


class SavingAgent(IgorAgent):
    """Saves told to the agent as the editor tells them, without an editor."""

    config: ClassVar[dict[str, object]] = {"push_on_write": True}

    def turn(self, edit: Edit) -> Turn:
        assert self.client
        edit.apply()
        began = time.monotonic_ns()
        self.client.send(Kind.SAVE, 0, str(self.ground.tree.root), [edit.path])
        return Turn(lambda: began)

    def first(self) -> None:
        self.igor("push")


class ToldAgent(SavingAgent):
    """The agent told to look, as an editor does after a change of git's HEAD."""

    listener: Listener | None = None

    def open(self) -> None:
        super().open()
        self.listener = Listener(self.room.environment, self.ground.tree.root)

    def turn(self, edit: Edit) -> Turn:
        assert self.client
        assert self.listener
        edit.apply()
        self.listener.begin()
        began = time.monotonic_ns()
        self.client.send(Kind.SAVE, 0, str(self.ground.tree.root), self.paths(edit))
        return Turn(lambda: began, self.listener.fileno(), self.listener.has_caught_up)

    def paths(self, edit: Edit) -> list[str]:
        return []

    def close(self) -> None:
        super().close()
        if self.listener:
            self.listener.close()


class SavedAgent(ToldAgent):
    """The agent told of one file that has been written, as an editor does after `:w`."""

    def paths(self, edit: Edit) -> list[str]:
        return [edit.path]
