"""A project of lab hosts without containers, pushed from a terminal."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.support.cli_process import igor


class Project:
    """A local project whose config names lab hosts; runtime none."""

    def __init__(self, root: Path, *hosts: Host, folder: str = "~/dev", **more: Any) -> None:
        self.root = root
        self.hosts = hosts
        named = [{"host": host.name, "dir": folder} for host in hosts]
        groups = {"dev": {"hosts": named}, **more.pop("groups", {})}
        config = {"user": "lab", "runtime": "none", "host_groups": groups, **more}
        self.write(".igor/config.json", json.dumps(config))
        for host in hosts:
            host.run(["rm", "-rf", "dev"], check=True)

    def write(self, name: str, content: str | bytes = "x") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def there(self, host: Host) -> Path:
        return host.path(f"dev/{self.root.name}")

    def push(self, *options: str) -> "subprocess.CompletedProcess[str]":
        done = igor("-C", str(self.root), "push", *options)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
