"""Unison over a warm ssh, one run for each change; at a save it looks at that one path."""

from tests.bench.contestants.command import Command
from tests.bench.tree import Edit
from tests.lab import Host


class WarmUnison(Command):
    is_warm = True

    def command(self, edit: Edit, host: Host) -> list[str]:
        there = f"ssh://{host.name}/{self.ground.destination}"
        options = ["-ui", "text", "-batch", "-auto", "-silent", "-times", "-confirmbigdel=false"]
        options += ["-ignore", "Path .git", "-force", str(self.ground.tree.root)]
        options += ["-sshargs", " ".join(self.ssh_options(host))]
        if edit.path:
            options += ["-path", edit.path]
        return ["unison", str(self.ground.tree.root), there, *options]
