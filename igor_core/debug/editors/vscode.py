"""What .vscode/launch.json says of a project, for VS Code and nvim-dap: attach to what igor
debugs. Pure.

Of their rules: strict JSON, since nvim-dap knows neither trailing commas nor, on older Neovims,
comments; the type is VS Code's name for the debugger; a child process is reached by the `connect`
of its parent.
"""

from collections.abc import Sequence
from typing import Any

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint

#: Whoever's name begins so is igor's, to be replaced and removed.
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
