"""The sample project: a small git repository with an igor config."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.demo.place import user_name
from tests.demo.server import EmbeddedHost

SAMPLE = Path(__file__).with_name("sample")
NAME = "pendulum"


def host_folder(host: EmbeddedHost) -> Path:
    """The host's folder for projects. Absolute: "~" is the home of the user who runs the demo."""
    return host.home / "dev"


def config(hosts: Sequence[EmbeddedHost], more: Mapping[str, Any]) -> dict[str, Any]:
    """The config; `more` chooses the container engine."""
    entries = [{"host": host.name, "dir": str(host_folder(host))} for host in hosts]
    return {
        "user": user_name(),
        "debug_port": 5556,
        "docker_rebuild_files": ["requirements.txt"],
        "dockerfile": "dockerfile",
        "repl_cmd": "python3",
        "host_groups": {"dev": {"hosts": entries}},
        **more,
    }


def make_project(
    parent: Path,
    hosts: Sequence[EmbeddedHost],
    more: Mapping[str, Any],
    environment: Mapping[str, str],
) -> Path:
    """Make the project, with everything committed; return its root."""
    root = parent / NAME
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "gitignore").rename(root / ".gitignore")
    (root / ".igor").mkdir()
    (root / ".igor" / "config.json").write_text(json.dumps(config(hosts, more), indent=2) + "\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "A pendulum"]):
        subprocess.run(["git", "-C", str(root), *command], env=environment, check=True)
    return root


def differences(root: Path, on_host: Path, environment: Mapping[str, str]) -> tuple[int, list[str]]:
    """How many files git lists in the project, and which of them differ on the host."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name]
    return len(names), [name for name in names if not _same(root / name, on_host / name)]


def _same(here: Path, there: Path) -> bool:
    return there.is_file() and here.read_bytes() == there.read_bytes()
