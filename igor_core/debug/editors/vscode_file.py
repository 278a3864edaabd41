""".vscode/launch.json of a project: igor's part of it is kept current, the rest is the user's."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint
from igor_core.debug.editors.json_edit import Unusable, without_comments
from igor_core.debug.editors.managed import Notice, Ours, as_text, merged, put
from igor_core.debug.editors.safe_file import LocalFile, Untouched
from igor_core.debug.editors.vscode import CONFIGURATION, generate

FILE = ".vscode/launch.json"
TABLES = (Ours("configurations", CONFIGURATION, "["),)
PASTE = "igor vscode --print shows what belongs into it"


def vscode_text(project: Project, endpoints: Sequence[Endpoint]) -> str:
    """The file as it is where it is igor's alone."""
    return as_text(generate(project, endpoints))


def write_vscode_file(project: Project, endpoints: Sequence[Endpoint]) -> list[Notice]:
    """Bring igor's configurations in the file up to date; the rest stays. Blocks."""
    file = LocalFile(project.root / FILE, project.root)
    try:
        before = file.read()
        return [put(project, file, before, merged(before, generate(project, endpoints), TABLES))]
    except Unusable as why:
        if why.comments and _has_all(before or "", generate(project, endpoints)):
            return [Notice("same", f"{FILE} is up to date")]
        return [Notice("failed", f"{FILE} was left alone: {why}", PASTE)]
    except Untouched as why:
        return [Notice("failed", str(why), PASTE)]


def _has_all(text: str, content: Mapping[str, Any]) -> bool:
    """Whether a file with comments has igor's configurations as they are to be."""
    found = json.loads(without_comments(text))
    theirs = found.get("configurations") if isinstance(found, dict) else None
    return isinstance(theirs, list) and all(item in theirs for item in content["configurations"])
