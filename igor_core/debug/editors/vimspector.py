"""What .vimspector.json says of a project: adapters and configurations for Vimspector. Pure.

Three for each host: attach through igor's port to what igor debugs; launch the current file with
nothing but Vimspector and ssh, without igor; attach to a process that runs.

Of Vimspector's rules (its docs/configuration.md) these shape it. In each text `~` and `$name` are
replaced from the local environment, so a literal `$` is ${dollar} and no variables are used but
three that nobody has in the environment. Each exception filter has a value, else there is a
question at each start. A child process is debugged through its parent's adapter. Gadgets of the
same name win over adapters of the file.
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
#: Whoever's name begins with one of these is igor's, to be replaced and removed.
ADAPTER, CONFIGURATION = "igor-", "igor: "
#: debugpy's exception filters: "Y" stops, "N" doesn't, "" is debugpy's own default.
EXCEPTIONS = {"raised": "N", "uncaught": "Y", "userUnhandled": ""}
#: ms for a Python far away to start, load debugpy and answer.
START_MS = 120_000

# Vimspector's variables, to the end between characters that no config can hold.
WORKSPACE_ROOT, RELATIVE_FILE = "\0workspaceRoot\0", "\0relativeFile\0"
# A new name at each launch, else the relay could meet the session that is about to be replaced.
_SESSION = f"editor-{ssh_commands.UNQUOTED}unusedLocalPort{ssh_commands.UNQUOTED}"

# A file's name goes through the shells of this machine and of the host. It is an argument to the
# first, which quotes it for the second.
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
    """To what igor debugs: it has a port open here while it does."""
    way = {"host": "127.0.0.1", "port": endpoint.port}
    # For children `connect` comes back to the client, which else would get the port there.
    return way, {"configuration": {"connect": way}}


def _launch(project: Project, endpoint: Endpoint) -> tuple[Table, Table]:
    """The current file: its terminal is a process that ends the program when it ends."""
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
    """A process that runs there, by its number in the container, which is asked for."""
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
    """What debugpy gets. It is an attach even where the program is launched: over ssh."""
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
    """A literal `$` is a variable too."""
    if isinstance(value, dict):
        return {name: _with_variables(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_variables(each) for each in value]
    if isinstance(value, str):
        return re.sub("\0(\\w+)\0", r"${\1}", value.replace("$", "${dollar}"))
    return value
