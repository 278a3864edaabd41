"""Contestants that are one command for each change: over fresh ssh or a warm ControlMaster."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tests.bench.contestants.base import Contestant
from tests.bench.tree import Edit
from tests.bench.watch import Turn
from tests.lab import Host


class Command(Contestant):
    """Runs `command` on each host at once; it is acknowledged when all of them have ended."""

    is_warm = False

    def open(self) -> None:
        for host in self.ground.hosts:
            host.run(["mkdir", "-p", self.ground.destination], check=True)
            if self.is_warm:
                self._start_master(host)

    def turn(self, edit: Edit) -> Turn:
        edit.apply()
        commands = [self.command(edit, host) for host in self.ground.hosts]
        began = self.room.start(*commands, cwd=self.ground.tree.root)
        return Turn(lambda: began, self.room.answers, self._has_ended)

    @abstractmethod
    def command(self, edit: Edit, host: Host) -> list[str]:
        """The words that bring the change to a host, run in the tree's folder."""

    def ssh_options(self, host: Host) -> list[str]:
        """What makes `ssh` find the host, and the warm connection where there is one."""
        control = self._control(host) if self.is_warm else "none"
        return ["-F", str(self.room.ssh_config), "-o", f"ControlPath={control}"]

    def move_to(self, folder: str) -> None:
        super().move_to(folder)
        for host in self.ground.hosts:
            host.run(["mkdir", "-p", self.ground.destination], check=True)

    def _has_ended(self) -> bool:
        self.room.finish()
        return True

    def _control(self, host: Host) -> Path:
        return self.room.folder / f"master-{host.name}"

    def _start_master(self, host: Host) -> None:
        options = self.ssh_options(host)
        self.room.serve(["ssh", *options, "-M", "-N", host.name])
        self.room.wait("warm connection", self._control(host).exists)


def ssh(options: Sequence[str]) -> str:
    """The command for programs that take it as one string and cut it at spaces."""
    return " ".join(["ssh", *options])
