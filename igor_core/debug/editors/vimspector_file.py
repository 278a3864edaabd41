""".vimspector.json of a project: igor's part of it is kept current, the rest is the user's."""

import json
from collections.abc import Sequence
from typing import Any

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint
from igor_core.debug.editors.json_edit import Unusable, without_comments
from igor_core.debug.editors.managed import Notice, Ours, as_text, merged, put
from igor_core.debug.editors.safe_file import LocalFile, Untouched
from igor_core.debug.editors.vimspector import ADAPTER, CONFIGURATION, generate

FILE = ".vimspector.json"
#: Read before the other one, for Python. Paths in it are not relative to where it is.
BESIDE = ".vimspector.python.json"
TABLES = (Ours("adapters", ADAPTER), Ours("configurations", CONFIGURATION))


def vimspector_text(project: Project, endpoints: Sequence[Endpoint]) -> str:
    """The file as it is where it is igor's alone."""
    return as_text(generate(project, endpoints))


def write_vimspector_file(project: Project, endpoints: Sequence[Endpoint]) -> list[Notice]:
    """Bring igor's part up to date: in the file, or beside it where it can't be changed. Blocks."""
    file, beside = (
        LocalFile(project.root / FILE, project.root),
        LocalFile(project.root / BESIDE, project.root),
    )
    try:
        before = file.read()
        default = not _has_default(before)
        try:
            after = merged(before, generate(project, endpoints, default=default), TABLES)
        except Unusable as why:
            content = generate(project, endpoints, root=project.root, default=default)
            return _written_beside(project, beside, content, why)
        return [put(project, file, before, after), *_cleared(beside)]
    except Untouched as why:
        return [Notice("failed", str(why), "igor vimspector --print shows what it should hold")]


def _written_beside(
    project: Project, beside: LocalFile, content: dict[str, Any], why: Unusable
) -> list[Notice]:
    left = f"{FILE} was left alone: {why}"
    before = beside.read()
    try:
        after = merged(before, content, TABLES)
    except Unusable as other:
        return [
            Notice("failed", f"{left}; so was {BESIDE}: {other}",
                   "mend one of them, or add what igor vimspector --print shows")
        ]  # fmt: skip
    hint = (
        f"Vimspector reads {BESIDE} too" if why.comments
        else f"mend it, else Vimspector reads neither it nor {BESIDE}"
    )  # fmt: skip
    return [Notice("warning", left, hint), put(project, beside, before, after)]


def _cleared(beside: LocalFile) -> list[Notice]:
    """Take out what stands there from a time when the other file could not be changed."""
    before = beside.read()
    if before is None:
        return []
    try:
        after = merged(before, {}, TABLES)
    except Unusable:
        return []
    if after == before:
        return []
    left = {name: value for name, value in json.loads(after).items() if name != "$schema"}
    if any(left.values()):
        beside.write(after, 0o600)
        return [Notice("done", f"igor's part of {BESIDE} was removed: {FILE} has it now")]
    beside.remove()
    return [Notice("done", f"{BESIDE} was removed: {FILE} has it now")]


def _has_default(text: str | None) -> bool:
    """Whether the user has chosen a configuration to start: with two, each start is a question."""
    try:
        found = json.loads(without_comments(text or "{}"))["configurations"].items()
        return any(
            value.get("default") for name, value in found if not name.startswith(CONFIGURATION)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
