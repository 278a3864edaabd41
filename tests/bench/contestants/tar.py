"""tar through a warm ssh: the shortest way for a first push that the usual tools have."""

import shlex

from tests.bench.contestants.command import Command
from tests.bench.tree import Edit
from tests.lab import Host


class WarmTar(Command):
    is_warm = True

    def command(self, edit: Edit, host: Host) -> list[str]:
        unpack = shlex.join(["tar", "-xf", "-", "-C", self.ground.destination])
        pack = ["tar", "--exclude=./.git", "-cf", "-", "."]
        send = ["ssh", *self.ssh_options(host), host.name, unpack]
        return ["bash", "-c", f"set -o pipefail; {shlex.join(pack)} | {shlex.join(send)}"]
