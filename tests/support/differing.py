"""A pushed project, and ways to change it on a host."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.cli_process import igor
from tests.support.push_project import Project


class Differing(Project):
    """A pushed project, and ways to change it on a host."""

    def diff(self, *words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        done = igor("-C", str(self.root), "diff", *words, **options)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def held_back(self, name: str, *, here: bytes, there: bytes, host: Host | None = None) -> Path:
        """Push a path, then change it on both sides; return the file on the host."""
        for one in [host] if host else self.hosts:
            file = self.there(one) / name
            file.write_bytes(there)
        self.write(name, here)
        return self.there(host or self.hosts[0]) / name


@pytest.fixture
def project(lab: Lab, ssh_home: Path, tmp_path: Path) -> Differing:
    """A project on one host, with two files pushed."""
    project = Differing(tmp_path / "project", lab["apollo"])
    project.write("a.py", "one\n")
    project.write("src/b.py", "one\n")
    assert project.push().returncode == 0
    return project
