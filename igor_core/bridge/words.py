"""The words after a command, read."""

import itertools
import re
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


_EXEC_OPTION = re.compile(
    r"\s*((?:-g|--host(?:[-_]group)?)(?:\s+|=)\S+|--(?:no-push|setup)(?=\s)|--(?=\s))"
)


def split_exec(line: str) -> tuple[list[str], str]:
    """igor's own options in front, up to `--` or the first other word, and the shell line."""
    words: list[str] = []
    while (option := _EXEC_OPTION.match(line)) is not None:
        line = line[option.end() :]
        if option[1] == "--":
            break
        words += option[1].split(None, 1)
    return words, line.strip()


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
