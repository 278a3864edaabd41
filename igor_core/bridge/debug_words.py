"""The words after :IgorDebug, read."""

import re
import shlex
from typing import Any

from igor_core.errors import UsageError

USAGE = ":IgorDebug [--host NAME] [-g GROUP] [--ranks 0,2] [-m MODULE | --test | NAME | --] [args…]"
OPTIONS = ("--host", "-g", "--host-group", "--host_group", "--ranks")
# The program's output is read for places, and its input comes from the output's window.
ALWAYS = {"places": True, "stdin": True}


def debug_args(line: str, again: bool, where: dict[str, Any]) -> dict[str, Any]:
    """A request's args. `where` is what lua/igor/debug/command.lua says of the editor.

    Raises UsageError.
    """
    if where["problem"]:
        raise UsageError(where["problem"], where["hint"])
    words = _words(line)
    if again or (not words and not where["file"] and where["last"]):
        return _last(words, where)
    args: dict[str, Any] = dict(ALWAYS)
    if where.get("vimspector"):
        args["vimspector"] = True
    while words and words[0].startswith("-"):
        option, equals, value = words[0].partition("=")
        if option not in (*OPTIONS, "--reattach", "--no-push", "-m", "--test", "--"):
            break  # the program's own
        del words[0]
        if option in ("--reattach", "--no-push"):
            args[option[2:].replace("-", "_")] = True
            continue
        if option in ("-m", "--test", "--"):
            return args | _chosen(option, words, where)
        if not equals:
            value = words.pop(0) if words else ""
        if not value:
            raise UsageError(f"{option} needs a value after it", USAGE)
        _add(args, option, value)
    if "reattach" in args:
        return _again(args, words, where)
    if words and words[0] in where["programs"]:
        return args | {"name": words[0], "args": words[1:]}
    return args | _chosen("--", words, where)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{line}: {error}", "quotes are as in a shell") from None


def _last(words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    if words:
        raise UsageError("the last program is debugged as it was, without other words", USAGE)
    if not where["last"]:
        raise UsageError("nothing was debugged in this project yet", USAGE)
    last: dict[str, Any] = where["last"]
    return last


def _again(args: dict[str, Any], words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    """Come back to what runs: what was debugged last, unless other hosts are named."""
    if words:
        raise UsageError("--reattach comes back to what runs, without other words", USAGE)
    is_last = not {"group", "hosts", "ranks"} & args.keys()
    return {**(where["last"] if is_last else {}), **args}


def _add(args: dict[str, Any], option: str, value: str) -> None:
    if option == "--host":
        args["hosts"] = [*args.get("hosts", []), value]
    elif option == "--ranks":
        if not re.fullmatch(r"\d{1,6}(,\d{1,6})*", value):
            raise UsageError(f"--ranks {value}: numbers and commas are wanted", "--ranks 0,2")
        args["ranks"] = sorted({int(rank) for rank in value.split(",")})
    else:
        args["group"] = value


def _chosen(option: str, words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    if option == "-m":
        if not words:
            raise UsageError("-m needs a module after it", USAGE)
        return {"module": words[0], "args": words[1:]}
    if not where["file"]:
        raise UsageError("this window shows no file of a project", ":IgorDebug! repeats the last")
    if option == "--test":
        if not where["test"]:
            raise UsageError("no test is under the cursor", "pytest's names: test…, Test…")
        return {"test": where["test"], "args": words}
    return {"program": where["file"], "args": words}
