"""For tests of what programs on hosts print: projects with an image, jobs that want places."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from igor_core.agent.client import Client
from tests.lab import Host
from tests.support.agent_client import Seen, client
from tests.support.sample_project import SampleProject

DOCKERFILE = "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools PATH=/venv/tools/bin:$PATH\n"


def make_project(
    root: Path, hosts: Sequence[Host], files: Mapping[str, str], **config: Any
) -> SampleProject:
    """Create a git repository with these files, for these hosts."""
    project = SampleProject(root, hosts)
    project.configure(dockerfile="dockerfile", docker_rebuild_files=[], **config)
    for name, text in {"dockerfile": DOCKERFILE, **files}.items():
        project.write(name, text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return project


def job(project: SampleProject, verb: str, **arguments: Any) -> Seen:
    """Start a job that asks for the places, from a client of its own."""
    return Seen(agent(), verb, project.root, **{"places": True, **arguments})


def agent() -> Client:
    return client()


def rows(project: SampleProject, outcome: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """Return the places in short: path from the root, line, kind."""
    root = f"{project.root}/"
    return [
        (place["name"].removeprefix(root), place["line"], place["kind"])
        for place in outcome["places"]
    ]
