"""Parse the words after :IgorDebug."""

import re
import shlex
from typing import Any

from igor_core.errors import UsageError

USAGE = ":IgorDebug [--host NAME] [-g GROUP] [--ranks 0,2] [-m MODULE | --test | NAME | --] [args…]"
OPTIONS = ("--host", "-g", "--host-group", "--host_group", "--ranks")
# Find source locations in the output, and read input from the output window.
ALWAYS = {"places": True, "stdin": True}


def debug_args(line: str, again: bool, where: dict[str, Any]) -> dict[str, Any]:
    """Return the request's arguments. `where` is the IgorDebugPlace of lua/igor/debug/command.lua.

    With `again` (":IgorDebug!") they are those of the last program. Raises UsageError.
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
            break  # an option of the program
        del words[0]
        if option in ("--reattach", "--no-push"):
            args[option[2:].replace("-", "_")] = True
            continue
        if option in ("-m", "--test", "--"):
            return args | _chosen(option, words, where)
        if not equals:
            value = words.pop(0) if words else ""
        if not value:
            raise UsageError(f"{option} needs a value", USAGE)
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
        raise UsageError(f"{line}: {error}", "quote words as in a shell") from None


def _last(words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    if words:
        raise UsageError(":IgorDebug! repeats the last program and takes no arguments", USAGE)
    if not where["last"]:
        raise UsageError("no program was debugged in this project yet", USAGE)
    last: dict[str, Any] = where["last"]
    return last


def _again(args: dict[str, Any], words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    """Attach again to the running program: the last one, unless other hosts are named."""
    if words:
        raise UsageError(
            "--reattach attaches to a running program and takes no other arguments", USAGE
        )
    is_last = not {"group", "hosts", "ranks"} & args.keys()
    return {**(where["last"] if is_last else {}), **args}


def _add(args: dict[str, Any], option: str, value: str) -> None:
    if option == "--host":
        args["hosts"] = [*args.get("hosts", []), value]
    elif option == "--ranks":
        if not re.fullmatch(r"\d{1,6}(,\d{1,6})*", value):
            raise UsageError(
                f"--ranks {value}: expected numbers separated by commas", "--ranks 0,2"
            )
        args["ranks"] = sorted({int(rank) for rank in value.split(",")})
    else:
        args["group"] = value


def _chosen(option: str, words: list[str], where: dict[str, Any]) -> dict[str, Any]:
    if option == "-m":
        if not words:
            raise UsageError("-m needs a module", USAGE)
        return {"module": words[0], "args": words[1:]}
    if not where["file"]:
        raise UsageError(
            "this window shows no file of a project", "repeat the last program: :IgorDebug!"
        )
    if option == "--test":
        if not where["test"]:
            raise UsageError("no test under the cursor", "names of tests: test…, Test…")
        return {"test": where["test"], "args": words}
    return {"program": where["file"], "args": words}
