"""scp: one file at a save, the whole tree at a first push."""

import os

from tests.bench.contestants.command import Command
from tests.bench.tree import Edit
from tests.lab import Host


class Scp(Command):
    """Over a fresh ssh."""

    def command(self, edit: Edit, host: Host) -> list[str]:
        to = f"{host.name}:{self.ground.destination}/"
        options = ["-p", "-q", *self.ssh_options(host)]
        if edit.path:
            return ["scp", *options, edit.path, to + edit.path]
        names = sorted(set(os.listdir(self.ground.tree.root)) - {".git"})
        return ["scp", "-r", *options, *names, to]


class WarmScp(Scp):
    is_warm = True
