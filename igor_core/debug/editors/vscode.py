"""The content of .vscode/launch.json, for VS Code and nvim-dap: attach to what igor debugs. Pure.

It is strict JSON, since nvim-dap accepts neither trailing commas nor, in older Neovims, comments.
The type is VS Code's name for the debugger. A child process is reached via its parent's `connect`.
"""

from collections.abc import Sequence
from typing import Any

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint

#: Entries whose names begin with this are igor's: it replaces and removes them.
CONFIGURATION = "igor: "


def generate(project: Project, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The content of the file."""
    return {
        "version": "0.2.0",
        "configurations": [_attach(project, endpoint) for endpoint in endpoints],
    }


def _attach(project: Project, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": f"{CONFIGURATION}attach {endpoint.name}",
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": "127.0.0.1", "port": endpoint.port},
        "justMyCode": project.config.debug.just_my_code,
        "pathMappings": [{"localRoot": "${workspaceFolder}", "remoteRoot": endpoint.mapped_root}],
    }
