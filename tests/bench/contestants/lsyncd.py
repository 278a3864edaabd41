"""lsyncd, which watches the tree and starts rsync over a warm ssh; it acknowledges nothing."""

import json
import time

from tests.bench.contestants.command import Command, ssh
from tests.bench.tree import Edit, difference
from tests.bench.watch import Turn
from tests.lab import Host

#: `delay = 0`: its shortest, the default is 15 s. The shell line keeps ssh's options as they are.
SETTINGS = """\
settings {{ nodaemon = true, statusFile = {status}, statusInterval = 1 }}
sync {{
    default.rsync, source = {source}, target = {target}, delay = 0, exclude = {{ "/.git" }},
    rsync = {{ archive = true, rsh = {shell} }}
}}
"""


class WarmLsyncd(Command):
    is_warm = True

    def open(self) -> None:
        super().open()
        host = self.ground.hosts[0]
        status = self.room.folder / "status"
        words = {
            "status": status,
            "source": self.ground.tree.root,
            "target": f"{host.name}:{self.ground.destination}/",
            "shell": ssh(self.ssh_options(host)),
        }
        quoted = {name: json.dumps(str(value)) for name, value in words.items()}
        settings = self.room.folder / "lsyncd.lua"
        settings.write_text(SETTINGS.format(**quoted))
        self.room.serve(["lsyncd", str(settings)])
        self.room.wait("status of lsyncd", status.exists)

    def command(self, edit: Edit, host: Host) -> list[str]:
        raise NotImplementedError("lsyncd is not started for a change")

    def turn(self, edit: Edit) -> Turn:
        began = time.monotonic_ns()
        edit.apply()
        return Turn(lambda: began)

    def first(self) -> None:
        """Its start has begun it."""
        self.room.wait("first copy by lsyncd", self._is_complete)

    def _is_complete(self) -> bool:
        return difference(self.ground.tree.root, self.ground.tops()[0]) == ""
