"""rsync, as a plugin that saves to a remote runs it: one file at a save, else the whole tree."""

from tests.bench.contestants.command import Command, ssh
from tests.bench.tree import Edit
from tests.lab import Host


class Rsync(Command):
    """Over a fresh ssh."""

    def command(self, edit: Edit, host: Host) -> list[str]:
        shell = ssh(self.ssh_options(host))
        to = f"{host.name}:{self.ground.destination}/"
        if edit.path:
            return ["rsync", "-aR", "-e", shell, f"./{edit.path}", to]
        return ["rsync", "-a", "--delete", "--exclude=/.git", "-e", shell, "./", to]


class WarmRsync(Rsync):
    is_warm = True
