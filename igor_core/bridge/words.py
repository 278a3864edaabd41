"""The words after a command, read."""

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

from igor_core.errors import UsageError

FLAGS = {
    "push": ("--dry-run", "--force", "--allow-deletes", "--take-over"),
    "diff": ("--ours", "--theirs", "--yes"),
    "build": ("--force", "--no-cache"),
    "setup": ("--force",),
    "clean": ("--images",),
    "exec": ("--no-push", "--setup"),
    "run": ("--no-push", "--setup"),
    "repl": ("--no-push", "--end"),
    "attach": ("--force",),
    "stack": (),
    "vimspector": ("--print",),
    "vscode": ("--print",),
}


def parse(verb: str, words: list[str]) -> dict[str, Any]:
    """The words after a command as a request's args: `[GROUP] [--host NAME]… [--flag]…`."""
    args: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--host", "-g", "--host-group", "--host_group"):
            value = value if equals else next(rest, "")
            if not value:
                raise UsageError(f"{name} needs a name after it")
            if name == "--host":
                args.setdefault("hosts", []).append(value)
            else:
                args["group"] = value
        elif word in FLAGS[verb]:
            args[word[2:].replace("-", "_")] = True
        elif word.startswith("-"):
            raise UsageError(f"{word} is unknown here", f"known: {', '.join(FLAGS[verb])}, --host")
        elif "group" in args:
            raise UsageError(f"one host group at a time: {args['group']} or {word}")
        else:
            args["group"] = word
    return args


def split_pid(words: list[str]) -> tuple[list[str], int]:
    """The words without the number of a process among them, and the number; 0 without one."""
    named = ("", *words)
    for place, word in enumerate(words):
        if word.isdecimal() and named[place] not in ("--host", "-g", "--host-group"):
            return words[:place] + words[place + 1 :], int(word)
    return words, 0


_OPTION_WITH_VALUE = r"(?:-g|--host(?:[-_]group)?)(?:\s+|=)\S+"
# Of igor_core/cli/job.py: one word with other characters is a line for a shell.
_FOR_A_SHELL = re.compile(r"[^\w@%+=:,./\s-]", re.ASCII)


def split_exec(line: str, verb: str = "exec") -> tuple[list[str], str]:
    """igor's own options in front, up to `--` or the first other word, and the shell line."""
    flags = "|".join(FLAGS[verb])
    known = re.compile(rf"\s*({_OPTION_WITH_VALUE}|(?:{flags}|--)(?=\s|$))")
    words: list[str] = []
    while (option := known.match(line)) is not None:
        line = line[option.end() :]
        if option[1] == "--":
            break
        words += option[1].split(None, 1)
    return words, line.strip()


def command(line: str) -> dict[str, Any]:
    """A command of the user's as a request's args, as the command line reads it."""
    if _FOR_A_SHELL.search(line):
        return {"shell": line}
    return {"argv": line.split()} if line else {}


def arguments(line: str) -> list[str]:
    """What a program is given, with quotes and backslashes as in a shell; nothing is expanded."""
    try:
        return shlex.split(line)
    except ValueError:
        raise UsageError("a quote or a backslash has nothing to end it", line) from None


def split_diff(words: list[str], where: dict[str, Any]) -> tuple[list[str], list[str]]:
    """igor's own options, and the paths, absolute: `%` is the file in the window.

    A path is meant from the working directory, or from the project as igor names it.
    """
    options: list[str] = []
    paths: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            paths += rest
        elif word in ("--host", "-g", "--host-group", "--host_group"):
            options += [word, *itertools.islice(rest, 1)]
        else:
            (options if word.startswith("-") else paths).append(word)
    return options, [_absolute(path, where) for path in paths]


def _absolute(path: str, where: dict[str, Any]) -> str:
    if path == "%":
        return str(where["file"])
    here = Path(where["cwd"], path)
    return str(here if here.exists() or here.is_symlink() else Path(where["place"], path))
