"""A project of this repository's size, with the original author's style of config."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.support.cli_process import COMMAND, environment

ROOT = Path(__file__).parents[2]
DOCKERFILE = "FROM igor-base:latest\nCOPY requirements.txt /\nRUN echo built >/built\n"


@dataclass(frozen=True)
class SampleProject:
    """A git repository in `root` and the hosts that its group `dev` names."""

    root: Path
    hosts: Sequence[Host]

    def configure(self, **more: Any) -> None:
        """Write the config; `more` are further keys."""
        hosts = [{"host": host.name, "dir": f"{host.home}/dev"} for host in self.hosts]
        config = {
            "user": "dino",
            "debug_port": 5556,
            "docker_rebuild_files": ["requirements.txt"],
            "dockerfile": "dockerfile",
            "repl_cmd": "ipython",
            "host_groups": {"dev": {"hosts": hosts}},
            **more,
        }
        self.write(".igor/config.json", json.dumps(config, indent=2))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def igor(self, *arguments: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run igor in the project, without a terminal."""
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.root, env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, start_new_session=True, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start igor in the project, its output on pipes."""
        return subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.root, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def on(self, host: Host) -> Path:
        """Return the tree on a host, as a local path."""
        return Path(host.path(f"{host.home}/dev/{self.root.name}"))


def make_sample_project(root: Path, hosts: Sequence[Host]) -> SampleProject:
    """Create a project from this repository's own files."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.split(b"\0")):
        if (ROOT / os.fsdecode(name)).is_file():
            target = root / os.fsdecode(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / os.fsdecode(name), target)
    project = SampleProject(root, hosts)
    project.write("dockerfile", DOCKERFILE)
    project.write("requirements.txt", "numpy\n")
    project.configure()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return project
