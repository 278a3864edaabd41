"""`igor debug`: run a program under the debugger, and print how an editor connects."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from igor_core.agent.client import connect
from igor_core.cli import job
from igor_core.cli.outlet import Outlet
from igor_core.cli.session import Renderer
from igor_core.cli.terminal import somebody_there
from igor_core.commands.operand_words import ranks
from igor_core.commands.parse import Invocation
from igor_core.errors import UsageError


def run(invocation: Invocation) -> int:
    """Run until the program ends; return its exit status, or 255 if igor fails."""
    values = invocation.values
    root = job.directory(invocation)
    arguments: dict[str, Any] = {
        **{key: values[key] for key in ("group", "hosts", "reattach", "no_push") if key in values},
        **_program(values, root),
    }
    if "ranks" in values:
        arguments["ranks"] = ranks(values["ranks"])
    if len(arguments.get("ranks", [0])) == 1:
        arguments["stdin"] = True
    if values.get("json"):
        arguments["places"] = True
    client = connect("cli", answers=somebody_there())
    wrap = (lambda renderer, _outlet: renderer) if values.get("json") else DebugRenderer
    return job.follow(invocation, client, root, arguments, wrap)


def _program(values: dict[str, Any], root: str) -> dict[str, Any]:
    """Return the module, the test, or the program that the first word names, and its arguments."""
    words = list(values.get("debugged", []))
    if values.get("reattach"):
        return {}
    if "module" in values:
        return {"module": values["module"], "args": words}
    if "test" in values:
        file, colons, test = values["test"].partition("::")
        return {"test": os.path.join(root, file) + colons + test, "args": words}
    if not words:
        raise UsageError(
            "'igor debug' needs FILE, NAME, -m MODULE or --test NODE", "igor debug --help"
        )
    path = os.path.join(root, words[0])
    is_name = not os.path.isfile(path) and os.sep not in words[0]
    return {"name": words[0], "args": words[1:]} if is_name else {
        "program": path, "args": words[1:]
    }  # fmt: skip


class DebugRenderer:
    """Shows a job, and how to attach to a program that waits for its debugger."""

    def __init__(self, renderer: Renderer, _outlet: Outlet) -> None:
        self._renderer = renderer
        self.finished = renderer.finished
        self.hide = renderer.hide
        self.say = renderer.say
        self.tick = renderer.tick

    def event(self, event: dict[str, Any]) -> None:
        self._renderer.event(event)
        if event["type"] == "debuggee":
            for line in ways_in(event):
                self._renderer.say(line)


def ways_in(event: dict[str, Any]) -> list[str]:
    """Return lines that say how editors attach to a waiting program."""
    name, port, root = event["configuration"], event["port"], Path(event["local_root"])
    mapping = f"localRoot={_lua(event['local_root'])}, remoteRoot={_lua(event['remote_root'])}"
    vimspector, vscode = "after: igor vimspector", "after: igor vscode"
    if _is_in(name, root / ".vimspector.json"):
        vimspector = f":call vimspector#LaunchWithSettings(#{{configuration: '{name}'}})"
    if _is_in(name, root / ".vscode/launch.json"):
        vscode = f'"{name}" of .vscode/launch.json'
    return [
        f"igor: {event['host']}: waiting for a debugger on 127.0.0.1:{port}",
        f"  Vimspector  {vimspector}",
        f"  nvim-dap    :lua require('dap').run{{type='debugpy', request='attach', name='{name}', "
        f"connect={{host='127.0.0.1', port={port}}}, "
        f"justMyCode={'true' if event['just_my_code'] else 'false'}, "
        f"pathMappings={{{{{mapping}}}}}}}",
        f"  VS Code     {vscode}",
    ]


def _is_in(name: str, file: Path) -> bool:
    """Return whether the file has a configuration of that name."""
    quoted = json.dumps(name, ensure_ascii=False).encode()
    with contextlib.suppress(OSError):
        return quoted in file.read_bytes()
    return False


def _lua(text: str) -> str:
    """Quote a string for Lua; JSON's escapes are the same for all that a path can hold."""
    return json.dumps(text, ensure_ascii=False)
