"""Handlers of Neovim's commands: from words to a request. The table names one for each command.

Each may raise UsageError.
"""

import os
from functools import partial
from typing import Any

from igor_core.bridge.bridge import Bridge, EditorRequest
from igor_core.commands.editor_words import (
    absolute,
    debug_args,
    read_line,
    read_words,
    split_pid,
    with_group,
    without_group,
)
from igor_core.commands.operand_words import command_of_line, split_arguments
from igor_core.errors import UsageError


def request(bridge: Bridge, given: EditorRequest) -> None:
    """Any command whose operand is a process, the window's file, a shell line, or none."""
    bridge.ask_agent(given, _arguments(given))


def diff(bridge: Bridge, given: EditorRequest) -> None:
    """The host's version must not replace a file whose buffer is modified."""
    values, words = read_words(given.verb, given.words)
    where = given.where
    paths = [absolute(path, where) for path in words]
    wanted = {os.path.realpath(path) for path in paths}
    unwritten = [f for f in where["unwritten"] if not paths or os.path.realpath(f) in wanted]
    if "theirs" in values and unwritten:
        raise UsageError(f"{unwritten[0]} has unsaved changes", ":write it first, or :edit!")
    bridge.ask_agent(given, {**values, **({"paths": paths} if paths else {}), "contents": True})


def repl(bridge: Bridge, given: EditorRequest) -> None:
    """Lua opens a terminal for it; `--end` is a job."""
    values, line = read_line(given.verb, given.line)
    if "end" in values:
        # Nothing is pushed, so modified buffers do not matter.
        bridge.request(given.verb.name, given.where["place"], {**values, **command_of_line(line)})
        return

    def show(_verb: str, place: str, args: dict[str, Any]) -> None:
        bridge.call("igor.repl", "open", place, args, given.bang)

    bridge.when_written(given, {**values, **({"shell": line} if line else {})}, show)


def debug(bridge: Bridge, given: EditorRequest) -> None:
    args = debug_args(given.verb, given.line, given.bang, given.where)
    bridge.ask_agent(given, {**args, **_of_verb(given)})


def attach(bridge: Bridge, given: EditorRequest) -> None:
    """Without a process, Lua shows those that can be attached to."""
    args = _arguments(given)
    if "pid" in args:
        bridge.ask_agent(given, args)
    else:
        choose = partial(bridge.call, "igor.debug.attach", "choose", bridge.channel)
        choose(given.where["place"], args)


def _arguments(given: EditorRequest) -> dict[str, Any]:
    """The values of the options and of the operand, and what `!` stands for."""
    values = {**_operand_and_options(given), **_of_verb(given)}
    assert given.verb.editor is not None
    if given.bang:
        values[given.verb.editor.bang] = True
    return values


def _operand_and_options(given: EditorRequest) -> dict[str, Any]:
    verb, operand = given.verb, given.verb.operand
    if operand is not None and operand.rest:
        values, rest = read_line(verb, given.line)
        return {**values, **_REST[operand.key](given, rest)}
    values, words = read_words(verb, given.words)
    if operand is not None and operand.completes == "process":
        words, pid = split_pid(words)
        values |= {"pid": pid} if pid else {}
    by_hosts = with_group if verb.acts_on_hosts else partial(without_group, verb)
    return by_hosts(values, words)


def _shell_line(given: EditorRequest, rest: str) -> dict[str, Any]:
    """A line for the shell as it was typed."""
    return {"shell": rest} if rest else {}


def _file_and_arguments(given: EditorRequest, rest: str) -> dict[str, Any]:
    """The window's file, and the words of the line for it."""
    if not given.where["file"]:
        raise UsageError("the window has no file to run", ":edit it first")
    args = split_arguments(rest)
    return {"file": given.where["file"], **({"args": args} if args else {})}


_REST = {"command": _shell_line, "program": _file_and_arguments}


def _of_verb(given: EditorRequest) -> dict[str, Any]:
    return {"places": True} if given.verb.lists_locations else {}
