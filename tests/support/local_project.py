"""A local project without hosts, for tests of what editors read."""

from pathlib import Path

from igor_core.config import Project
from igor_core.config.read import parse

CONFIG = '{"user": "dino", "host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/d"}]}}}'


def make_local_project(folder: Path) -> Project:
    root = folder / "project"
    (root / ".igor").mkdir(parents=True)
    (root / ".igor" / "config.json").write_text(CONFIG)
    (root / ".igor" / "config.json").chmod(0o640)
    return Project(root, parse(CONFIG.encode(), Path("config.json")), "")
