"""The words after a command of Neovim, as a request's arguments.

Options are read as in a terminal. What differs: a bare word is a host group, the rest of the line
after a command like :IgorExec arrives as it was typed, and files come from the window.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from igor_core.commands import option_words
from igor_core.commands.model import Option, Verb
from igor_core.commands.operand_words import ranks, split_arguments
from igor_core.errors import UsageError

#: What Lua's place() says about the editor when the command was given.
Where = Mapping[str, Any]
Values = dict[str, Any]


def read_words(verb: Verb, words: list[str]) -> tuple[Values, list[str]]:
    """The values of the options, and the other words. Raises UsageError."""
    known = option_words.by_flag(verb.editor_options())
    values: Values = {}
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            others += rest
            break
        if option_words.is_option(word):
            flag, value = option_words.take(word, rest, _takes_value(known), _known(verb))
            option_words.put(values, known[flag], value)
        else:
            others.append(word)
    return values, others


def read_line(verb: Verb, line: str) -> tuple[Values, str]:
    """The values of the options in front, and the rest of the line. Raises UsageError.

    The rest begins after `--` or a `last` option, or with the first word that is no option of the
    verb's: it may be the program's own.
    """
    known = option_words.by_flag(verb.editor_options())
    values: Values = {}
    while (found := _WORD.match(line)) is not None:
        flag = option_words.split(found[1])[0]
        if found[1] != "--" and flag not in known:
            break
        line = line[found.end() :]
        if found[1] == "--":
            break
        after = _WORD.match(line)
        rest = [_unquoted(after[1])] if after else []
        flag, value = option_words.take(_unquoted(found[1]), rest, _takes_value(known))
        if after and not rest:
            line = line[after.end() :]
        option_words.put(values, known[flag], value)
        if known[flag].last:
            break
    return values, line.strip()


#: A word as a shell reads it: quoted parts may contain blanks.
_WORD = re.compile(r"""\s*((?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)""")


def _unquoted(word: str) -> str:
    return "".join(split_arguments(word))


def with_group(values: Values, words: list[str]) -> Values:
    """The bare words of a command that acts on hosts: one host group. Raises UsageError."""
    for word in words:
        if "group" in values:
            raise UsageError(f"one host group at a time: {values['group']} or {word}")
        values["group"] = word
    return values


def without_group(verb: Verb, values: Values, words: list[str]) -> Values:
    """The same for a command that knows no hosts. Raises UsageError."""
    if words:
        raise UsageError(f":{_name(verb)} takes no argument, found {words[0]!r}", _known(verb))
    return values


def split_pid(words: list[str]) -> tuple[list[str], int]:
    """The words without the first that is a process number, and that number; 0 without one."""
    for place, word in enumerate(words):
        if word.isdecimal():
            return words[:place] + words[place + 1 :], int(word)
    return words, 0


def absolute(path: str, where: Where) -> str:
    """A path after :IgorDiff, absolute: `%` is the file in the window.

    Others are relative to the working directory, or to the project if they exist only in it.
    """
    if path == "%":
        return str(where["file"])
    in_cwd = Path(where["cwd"], path)
    is_there = in_cwd.exists() or in_cwd.is_symlink()
    return str(in_cwd if is_there else Path(where["place"], path))


USAGE = ":IgorDebug [--host NAME] [-g GROUP] [--ranks 0,2] [-m MODULE | --test | NAME | --] [args…]"


def debug_args(verb: Verb, line: str, again: bool, where: Where) -> Values:
    """The arguments of a request to debug; `where` is what lua/igor/debug/command.lua says.

    Raises UsageError.
    """
    if where["problem"]:
        raise UsageError(where["problem"], where["hint"])
    values, rest = read_line(verb, line)
    words = split_arguments(rest)
    if again or (not line.strip() and not where["file"] and where["last"]):
        return _last(line, where)
    if "ranks" in values:
        values["ranks"] = ranks(values["ranks"])
    # The program's input comes from the window of its output.
    args: Values = {"stdin": True, **values}
    if where.get("vimspector"):
        args["vimspector"] = True
    if "module" in args:
        return args | {"args": words}
    if args.pop("test", False):
        return args | _test(words, where)
    if "reattach" in args:
        return _reattached(args, words, where)
    # A program of the config is named by the first word, unless `--` stands before it.
    if words and words[0] in where["programs"] and not _has_dashes(line, rest):
        return args | {"name": words[0], "args": words[1:]}
    return args | {"program": _file(where), "args": words}


def _has_dashes(line: str, rest: str) -> bool:
    return line.strip().removesuffix(rest).split()[-1:] == ["--"]


def _last(line: str, where: Where) -> Values:
    if line.strip():
        raise UsageError(":IgorDebug! repeats the last program and takes no arguments", USAGE)
    if not where["last"]:
        raise UsageError("no program was debugged in this project yet", USAGE)
    return dict(where["last"])


def _reattached(args: Values, words: list[str], where: Where) -> Values:
    """Attach again to the running program: the last one, unless hosts are named."""
    if words:
        raise UsageError(
            "--reattach attaches to a running program and takes no other arguments", USAGE
        )
    is_last = not {"group", "hosts", "ranks"} & args.keys()
    return {**(where["last"] if is_last else {}), **args}


def _test(words: list[str], where: Where) -> Values:
    _file(where)
    if not where["test"]:
        raise UsageError("no test under the cursor", "names of tests: test…, Test…")
    return {"test": where["test"], "args": words}


def _file(where: Where) -> str:
    if not where["file"]:
        raise UsageError(
            "this window shows no file of a project", "repeat the last program: :IgorDebug!"
        )
    return str(where["file"])


def _takes_value(known: Mapping[str, Option]) -> dict[str, bool]:
    return {flag: bool(option.value) for flag, option in known.items()}


def _known(verb: Verb) -> str:
    return f"known: {', '.join(option.name for option in verb.editor_options())}"


def _name(verb: Verb) -> str:
    return verb.editor.name if verb.editor else verb.name
