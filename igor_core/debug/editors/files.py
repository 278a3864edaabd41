"""Write what editors' debuggers read: igor's entries in files that may hold more than that."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from igor_core.config import Project
from igor_core.debug.editors import vimspector, vscode
from igor_core.debug.editors.endpoints import Endpoint
from igor_core.debug.editors.json_edit import CannotEdit, OwnTable, check, edited, without_comments
from igor_core.debug.editors.safe_file import LocalFile, Untouched

Content = dict[str, Any]


@dataclass(frozen=True)
class Notice:
    """One sentence about a file: it is up to date ("same"), was written ("done"), or was not."""

    kind: Literal["same", "done", "failed"]
    text: str
    hint: str = ""


@dataclass(frozen=True)
class EditorFile:
    """A file of the project in which igor has entries.

    `content` is the file where it is igor's alone; it gets the text of the user's file, "" without
    one. `printed_by` is the command that prints it.
    """

    name: str
    tables: tuple[OwnTable, ...]
    content: Callable[[Project, Sequence[Endpoint], str], Content]
    printed_by: str

    def text(self, project: Project, endpoints: Sequence[Endpoint]) -> str:
        """The file where it is igor's alone."""
        return _rendered(self.content(project, endpoints, ""))

    def update(self, project: Project, endpoints: Sequence[Endpoint]) -> Notice:
        """Bring igor's entries up to date and leave the rest alone. Blocks."""
        file = LocalFile(project.root / self.name, project.root)
        try:
            before = file.read()
            after = self._merged(before, self.content(project, endpoints, before or ""))
            if before == after:
                return Notice("same", f"{self.name} is up to date")
            file.write(after, _mode(project.config_file))
        except CannotEdit as why:
            return Notice("failed", f"{self.name} not changed: {why}", self._hint)
        except Untouched as why:
            return Notice("failed", str(why), self._hint)
        return Notice("done", f"{self.name} {'written' if before is None else 'updated'}")

    def _merged(self, before: str | None, content: Content) -> str:
        if before is None:
            return _rendered(content)
        check(before)
        for table in self.tables:
            before = edited(before, table, _named(content, table))
        return before

    @property
    def _hint(self) -> str:
        return f"{self.printed_by} shows igor's entries"


def _vimspector(project: Project, endpoints: Sequence[Endpoint], before: str) -> Content:
    return vimspector.generate(project, endpoints, default=not _has_default(before))


def _vscode(project: Project, endpoints: Sequence[Endpoint], _before: str) -> Content:
    return vscode.generate(project, endpoints)


VIMSPECTOR = EditorFile(
    ".vimspector.json",
    (
        OwnTable("adapters", vimspector.ADAPTER),
        OwnTable("configurations", vimspector.CONFIGURATION),
    ),
    _vimspector,
    "igor vimspector --print",
)
VSCODE = EditorFile(
    ".vscode/launch.json",
    (OwnTable("configurations", vscode.CONFIGURATION, is_list=True),),
    _vscode,
    "igor vscode --print",
)


def _has_default(text: str) -> bool:
    """Whether the user has a default of their own: of two, Vimspector asks for one each time."""
    try:
        found = json.loads(without_comments(text))["configurations"].items()
        return any(
            value.get("default")
            for name, value in found
            if not name.startswith(vimspector.CONFIGURATION)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _rendered(content: Content) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _named(content: Content, table: OwnTable) -> Content:
    found = content.get(table.name, {})
    return {item["name"]: item for item in found} if table.is_list else dict(found)


def _mode(like: Path) -> int:
    """The mode of a new file: readable for those who may read the config."""
    try:
        return like.stat().st_mode & 0o666
    except OSError:
        return 0o600
