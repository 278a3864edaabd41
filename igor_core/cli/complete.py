"""Answer the shells' completion scripts: list the words that can stand at the cursor.

The answer is one candidate per line, with a tab and a description if it has one; or the single
line `:files`, which leaves completion to the shell.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from igor_core.agent.client import connect
from igor_core.cli import report
from igor_core.cli.outlet import STDOUT
from igor_core.cli.text import printable
from igor_core.commands.model import Option, Verb
from igor_core.commands.options import GLOBAL, GROUP, HOST
from igor_core.commands.parse import Given, Invocation, read
from igor_core.commands.table import BY_WORDS, visible
from igor_core.config import Config, find_project
from igor_core.errors import IgorError, UsageError

FILES = ":files"
# Seconds that whoever presses the tab key waits for the agent.
PATIENCE = 2.0
Candidates = list[tuple[str, str]]


def run(invocation: Invocation) -> int:
    """Complete the last of `words`, which is empty for a new word."""
    *before, current = invocation.values.get("words", [""])
    found = candidates(before, current)
    fitting = [(word, text) for word, text in found if word == FILES or word.startswith(current)]
    wanted = [f"{word}\t{text}" if text else word for word, text in fitting]
    report.show(STDOUT, wanted)
    return 0


def candidates(before: list[str], current: str) -> Candidates:
    """Return all words that can follow `before`, even those that don't begin like `current`."""
    try:
        waiting = _waiting_flag(before)
        given = read(before[:-1] if waiting else before)
    except UsageError:
        return []
    flag, equals, _value = current.partition("=")
    if waiting:
        return _values(waiting, given)
    if flag.startswith("--") and equals:
        return [(f"{flag}={word}", text) for word, text in _values(flag, given)]
    if given.verb is None:
        return _next_words(given.words) + (_options(GLOBAL) if current.startswith("-") else [])
    operand = given.verb.operand
    if current.startswith("-") and (not given.operands or (operand and operand.many)):
        return _options(GLOBAL + given.verb.options)
    return _operands(given.verb, given, current)


def _waiting_flag(before: list[str]) -> str:
    """Return the flag whose value comes next, if any."""
    if not before or not before[-1].startswith("-"):
        return ""
    try:
        read(before)
    except UsageError:
        read([*before, "value"])
        return before[-1]
    return ""


def _next_words(words: list[str]) -> Candidates:
    found: dict[str, str] = {}
    for verb in visible():
        parts = verb.words.split()
        if parts[: len(words)] == words and len(parts) > len(words):
            last = len(parts) == len(words) + 1
            found.setdefault(parts[len(words)], verb.help if last else "")
    return list(found.items())


def _options(options: tuple[Option, ...]) -> Candidates:
    return [(flag, option.help) for option in options for flag in option.flags]


def _values(flag: str, given: Given) -> Candidates:
    """Return the values of an option; files if the table of commands has none."""
    verbs = [given.verb] if given.verb else list(BY_WORDS.values())
    options = GLOBAL + tuple(option for verb in verbs for option in verb.options)
    completes = next((option.completes for option in options if flag in option.flags), "")
    if completes == "group":
        config = _config(given)
        return [(name, "") for name in config.host_groups] if config else []
    if completes == "host":
        return [(name, "") for name in _host_names(given)]
    return [(FILES, "")] if completes else []


def _operands(verb: Verb, given: Given, current: str) -> Candidates:
    operand = verb.operand
    if operand is None or (given.operands and not operand.rest and not operand.many):
        return []
    if operand.choices:
        return [(choice, "") for choice in operand.choices]
    if operand.completes == "held back":
        return _held_back(given, current)
    if operand.completes == "process":
        return _processes(given)
    return [(FILES, "")] if operand.completes == "file" else []


def _held_back(given: Given, current: str) -> Candidates:
    """Return paths that the last push held back; files if there are none, or no agent."""
    data = _asked("status", given)
    hosts = data["hosts"] if data else []
    found = dict.fromkeys(path for host in hosts for path in host["held_back"])
    fitting = [(p, "") for p in found if p.startswith(current) and p not in given.operands]
    return fitting or [(FILES, "")]


def _processes(given: Given) -> Candidates:
    """Return the processes of the named hosts, or of all, with their command lines."""
    hosts = [value for flag, value in given.options if flag in HOST.flags]
    data = _asked("processes", given, **({"hosts": hosts} if hosts else {}))
    found = data["processes"] if data else []
    return [(str(item["pid"]), printable(f"{item['host']}: {item['command']}")) for item in found]


def _asked(verb: str, given: Given, **more: Any) -> Any:
    """Ask a running agent about the named group; None if no agent runs."""
    group = next((value for flag, value in given.options if flag in GROUP.flags), None)
    try:
        client = connect("completion", answers=False, start=False)
        client.wait_at_most(PATIENCE)
        return client.call(verb, os.path.abspath(_folder(given)), group=group, **more)["data"]
    except IgorError:
        return None


def _folder(given: Given) -> str:
    return next((value for flag, value in given.options if flag == "-C"), ".")


def _host_names(given: Given) -> Iterable[str]:
    """Return the hosts of the named group, or of all groups."""
    config = _config(given)
    if config is None:
        return ()
    named = [value for flag, value in given.options if flag in GROUP.flags]
    groups = config.host_groups.values()
    return dict.fromkeys(
        host.host for group in groups if not named or group.name in named for host in group.hosts
    )


def _config(given: Given) -> Config | None:
    """Return the project's config, if there is a valid one."""
    try:
        return find_project(Path(_folder(given))).config
    except UsageError:
        return None
