"""Writing what editors' debuggers read: igor's part of a file that may hold more than that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from igor_core.config import Project
from igor_core.debug.editors.json_edit import check, spliced
from igor_core.debug.editors.safe_file import LocalFile


@dataclass(frozen=True)
class Notice:
    """One sentence about a file.

    "same": it is as it should be; "warning": it was left alone, and something else done instead;
    "failed": nothing was done.
    """

    kind: Literal["same", "done", "warning", "failed"]
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Ours:
    """igor's part of a table in the file: those of its members whose names begin with `prefix`.

    With `bracket` "[" it is a list, and its items have their names in them.
    """

    table: str
    prefix: str
    bracket: str = "{"

    def is_ours(self, name: str) -> bool:
        return name.startswith(self.prefix)


def as_text(content: Mapping[str, Any]) -> str:
    """A file that is igor's alone."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def merged(text: str | None, content: Mapping[str, Any], tables: tuple[Ours, ...]) -> str:
    """`text` with igor's part as in `content`, a file of igor's own. Raises Unusable."""
    if text is None:
        return as_text(content)
    check(text)
    for ours in tables:
        text = spliced(text, ours.table, _named(content, ours), ours.is_ours, ours.bracket)
    return text


def put(project: Project, file: LocalFile, before: str | None, after: str) -> Notice:
    """Write the file if that changes it. Raises Untouched."""
    name = file.path.relative_to(project.root)
    if before == after:
        return Notice("same", f"{name} is up to date")
    file.write(after, _mode(project.config_file))
    return Notice("done", f"{name} {'written' if before is None else 'renewed'}")


def _mode(like: Path) -> int:
    """Who may read a new file: whoever may read the config. The agent's own umask is stricter."""
    try:
        return like.stat().st_mode & 0o666
    except OSError:
        return 0o600


def _named(content: Mapping[str, Any], ours: Ours) -> dict[str, Any]:
    found = content.get(ours.table, {})
    return {item["name"]: item for item in found} if ours.bracket == "[" else dict(found)
