"""The content of .vimspector.json: adapters and configurations for Vimspector. Pure.

Three for each host: attach to what igor debugs, via igor's local port; launch the current file via
ssh, without igor; attach to a running process.

Vimspector's rules (its docs/configuration.md) that shape it: In each string `~` and `$name` are
replaced from the local environment, so a literal `$` is written ${dollar}, and only three variables
are used, which no environment has. Each exception filter needs a value, else Vimspector asks at
each start. A child process is debugged via its parent's adapter. Gadgets of the same name win over
adapters of the file.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any, Literal

from igor_core.config import Project
from igor_core.debug.editors import ssh_commands
from igor_core.debug.editors.endpoints import Endpoint

Table = dict[str, Any]
Kind = Literal["attach", "launch", "process"]

SCHEMA = "https://puremourning.github.io/vimspector/schema/vimspector.schema.json#"
#: Entries whose names begin with these are igor's: it replaces and removes them.
ADAPTER, CONFIGURATION = "igor-", "igor: "
#: debugpy's exception filters: "Y" stops, "N" doesn't, "" is debugpy's own default.
EXCEPTIONS = {"raised": "N", "uncaught": "Y", "userUnhandled": ""}
#: ms for a remote Python to start, load debugpy and answer.
START_MS = 120_000

# Vimspector's variables, enclosed in a character that no config can hold.
WORKSPACE_ROOT, RELATIVE_FILE = "\0workspaceRoot\0", "\0relativeFile\0"
# A new name at each launch, so that the relay never joins the session that is being replaced.
_SESSION = f"editor-{ssh_commands.UNQUOTED}unusedLocalPort{ssh_commands.UNQUOTED}"

# A file's name passes a local shell and the host's. It is an argument to the first, which quotes it
# for the second.
_QUOTED = (
    r"""for word do set -- "$@" "'$(printf %s "$word" | sed "s/'/'\\\\''/g")'"; shift; done; """
)


def generate(
    project: Project,
    endpoints: Sequence[Endpoint],
    *,
    default: bool = True,
) -> Table:
    """The content of the file.

    With `default` the first host's `launch` configuration, which works without igor, is the one
    that starts when nothing else is chosen.
    """
    adapters, configurations = {}, {}
    for endpoint in endpoints:
        for kind, make in KINDS.items():
            adapter, configuration = make(project, endpoint)
            name = f"{ADAPTER}{kind}-{endpoint.name.replace(' ', '/', 1)}"
            adapters[name] = adapter
            is_default = default and kind == "launch" and endpoint is endpoints[0]
            configurations[configuration_name(kind, endpoint)] = {
                "adapter": name,
                **({"default": True} if is_default else {}),
                **configuration,
                "configuration": {
                    **_request(project, endpoint), **configuration.get("configuration", {}),
                },
                "breakpoints": {"exception": EXCEPTIONS},
            }  # fmt: skip
    content = {"adapters": adapters, "configurations": configurations}
    return {"$schema": SCHEMA, **_with_variables(content)}


def configuration_name(kind: Kind, endpoint: Endpoint) -> str:
    return f"{CONFIGURATION}{kind} {endpoint.name}"


def _attach(_project: Project, endpoint: Endpoint) -> tuple[Table, Table]:
    """Attach to what igor debugs, via the local port that igor keeps open meanwhile."""
    way = {"host": "127.0.0.1", "port": endpoint.port}
    # debugpy sends `connect` back for children; without it the client would get the remote port.
    return way, {"configuration": {"connect": way}}


def _launch(project: Project, endpoint: Endpoint) -> tuple[Table, Table]:
    """Launch the current file; when its terminal's process ends, the program ends."""
    children = ["--subprocess"] if project.config.debug.subprocess else []
    serve = ["serve", "--group", endpoint.container, "--id", _SESSION, *children, "--"]
    ssh = ssh_commands.ssh_words(endpoint)
    there = ssh_commands.helper(project, endpoint, serve)
    relay = ssh_commands.helper(project, endpoint, ["relay", "--id", _SESSION])
    script = f'{_QUOTED}exec {shlex.join([*ssh, there])} "$@"'
    adapter = {
        "command": [*ssh, relay],
        "async_timeout": START_MS,
        "launch": {"remote": {"runCommand": ["sh", "-c", script, "igor", "%CMD%"]}},
    }
    file = f"{endpoint.mapped_root}/{RELATIVE_FILE}"
    return adapter, {"remote-request": "launch", "remote-cmdLine": [file]}


def _process(project: Project, endpoint: Endpoint) -> tuple[Table, Table]:
    """Attach to a running process by its PID in the container, for which Vimspector asks."""
    adapter = {
        "name": "debugpy",
        "command": [
            *ssh_commands.ssh_words(endpoint),
            ssh_commands.python(project, endpoint, ["-m", "debugpy.adapter"]),
        ],
        "async_timeout": START_MS,
        "attach": {"pidSelect": "ask", "pidProperty": "processId"},
    }  # fmt: skip
    return adapter, {}


def _request(project: Project, endpoint: Endpoint) -> Table:
    """The request for debugpy: attach, also where ssh has launched the program."""
    return {
        "request": "attach",
        "type": "python",
        "justMyCode": project.config.debug.just_my_code,
        "pathMappings": [{"localRoot": WORKSPACE_ROOT, "remoteRoot": endpoint.mapped_root}],
    }


KINDS: dict[Kind, Callable[[Project, Endpoint], tuple[Table, Table]]] = {
    "attach": _attach, "launch": _launch, "process": _process,
}  # fmt: skip


def _with_variables(value: Any) -> Any:
    """Write variables as ${name} and a literal `$` as ${dollar}."""
    if isinstance(value, dict):
        return {name: _with_variables(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_variables(each) for each in value]
    if isinstance(value, str):
        return re.sub("\0(\\w+)\0", r"${\1}", value.replace("$", "${dollar}"))
    return value
