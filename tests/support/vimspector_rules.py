"""Vimspector's rules for .vimspector.json, from its docs/configuration.md, and igor's own.

`mistakes` names what is wrong; `expanded` does with a text what Vimspector does when it starts.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: debugpy's exception filters; for each without a value, Vimspector asks at the start.
FILTERS = {"raised", "uncaught", "userUnhandled"}
VARIABLES = {"workspaceRoot", "relativeFile", "unusedLocalPort", "dollar"}
ADAPTER = {
    "name", "host", "port", "command", "env", "cwd", "tty", "configuration", "variables",
    "custom_handler", "sync_timeout", "async_timeout", "launch", "attach", "extends",
}  # fmt: skip
CONFIGURATION = {
    "adapter", "configuration", "remote-request", "remote-cmdLine", "default", "autoselect",
    "filetypes", "cwd", "variables", "breakpoints", "extends",
}  # fmt: skip
REMOTE = {
    "host", "account", "container", "docker_args", "ssh", "runCommand", "runCommands",
    "attachCommand", "attachCommands", "pidCommand", "initCompleteCommand",
}  # fmt: skip


def mistakes(content: Mapping[str, Any]) -> list[str]:
    """Return all mistakes in a file that igor has generated."""
    return [*_file(content), *_texts(content)]


def _file(content: Mapping[str, Any]) -> Iterator[str]:
    adapters, configurations = content["adapters"], content["configurations"]
    yield from _unknown("the file", content, {"$schema", "adapters", "configurations"})
    for name, adapter in adapters.items():
        if not name.startswith("igor"):
            yield f"{name}: an adapter's name must not be a gadget's"
        yield from (f"{name}: {what}" for what in _adapter(adapter))
    for name, configuration in configurations.items():
        if not name.startswith("igor"):
            yield f"{name}: not marked as igor's"
        adapter = adapters.get(configuration["adapter"])
        if adapter is None:
            yield f"{name}: there is no adapter {configuration['adapter']}"
        else:
            yield from (f"{name}: {what}" for what in _configuration(configuration, adapter))
    if [name for name, each in configurations.items() if each.get("default") is True] == []:
        yield "nothing starts by itself"


def _adapter(adapter: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("the adapter", adapter, ADAPTER)
    if not {"command", "port"} & adapter.keys():
        yield "neither 'command' nor 'port'"
    if not _words(adapter.get("command", [""])):
        yield "'command' is no list of texts"
    if type(adapter.get("port", 1)) is not int:
        yield "'port' is no number"
    for key in ("sync_timeout", "async_timeout"):
        if type(adapter.get(key, 1)) is not int:
            yield f"{key!r} is no number"
    for kind in ("launch", "attach"):
        if kind in adapter:
            yield from _way_in(kind, adapter[kind])


def _way_in(kind: str, block: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistakes in what happens before the connection to the adapter."""
    yield from _unknown(f"'{kind}'", block, {"remote", "delay", "pidSelect", "pidProperty"})
    if kind == "attach" and block.get("pidSelect") not in ("ask", "none"):
        yield "'pidSelect' is neither 'ask' nor 'none'"
    if block.get("pidSelect") == "ask" and "pidProperty" not in block:
        yield "'pidProperty' is missing"
    remote = block.get("remote", {})
    yield from _unknown("'remote'", remote, REMOTE)
    if {"ssh", "account"} & remote.keys() and "host" not in remote:
        yield "'host' is missing for ssh"
    if kind == "launch" and not _words(remote.get("runCommand")):
        yield "'runCommand' is no list of texts"


def _configuration(configuration: Mapping[str, Any], adapter: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("the configuration", configuration, CONFIGURATION)
    request = configuration["configuration"]
    if request.get("request") not in ("launch", "attach"):
        yield "'request' is neither 'launch' nor 'attach'"
    way = configuration.get("remote-request", request.get("request"))
    if "remote-request" in configuration and way not in adapter:
        yield f"'remote-request' is {way!r}, which the adapter does not know"
    if "remote-cmdLine" in configuration and not _words(configuration["remote-cmdLine"]):
        yield "'remote-cmdLine' is no list of texts"
    for table, key in ((configuration, "default"), (configuration, "autoselect"),
                       (request, "justMyCode"), (request, "subProcess")):  # fmt: skip
        if key in table and type(table[key]) is not bool:
            yield f"{key!r} is neither true nor false"
    filters = configuration.get("breakpoints", {}).get("exception", {})
    if set(filters) != FILTERS or set(filters.values()) - {"Y", "N", "", True, False}:
        yield f"the exception filters are {filters}"
    for mapping in request["pathMappings"]:
        if set(mapping) != {"localRoot", "remoteRoot"} or any(
            root.endswith("/") for root in mapping.values()
        ):
            yield f"the mapping is {mapping}"


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in which Vimspector would expand a variable or the local home directory."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        left = re.sub(rf"\$\{{({'|'.join(VARIABLES)})\}}", "", value)
        if "$" in left or value.startswith("~"):
            yield f"{value!r} would be read as a variable or as the home here"


def _unknown(where: str, table: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for name in table.keys() - known:
        yield f"{where} has the unknown key {name!r}"


def _words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def expanded(value: Any, variables: Mapping[str, str]) -> Any:
    """Return `value` with its variables expanded once, as Vimspector does."""
    if isinstance(value, Mapping):
        return {name: expanded(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [expanded(each, variables) for each in value]
    if isinstance(value, str):
        known = {"dollar": "$", **variables}
        return re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], value)
    return value


def run_command(configuration: Mapping[str, Any], adapter: Mapping[str, Any]) -> list[str]:
    """Return the words of the adapter's launch, with the configuration's words for `%CMD%`."""
    words: list[str] = []
    for word in adapter["launch"]["remote"]["runCommand"]:
        words += configuration["remote-cmdLine"] if word == "%CMD%" else [word]
    return words
