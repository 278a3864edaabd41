"""The hosts that the user's ssh config names, as offers for a first config."""

import os
import re
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from igor_core.config.check import broken
from igor_core.config.rules import HOST

DEEPEST_INCLUDE = 16  # as in OpenSSH's readconf.c
SETTING = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.+)")


def literal_hosts(ssh_config: Path) -> list[str]:
    """Return the names after `Host` that are not patterns, in order, with included files.

    Leaves out hosts with `User git`. Skips files that can't be read.
    """
    blocks: list[list[str]] = []
    for keyword, words in _settings(ssh_config, ssh_config.parent):
        if keyword == "host":
            blocks.append([name for name in words if _literal(name)])
        elif keyword == "match":
            blocks.append([])
        elif keyword == "user" and words == ["git"] and blocks:
            blocks[-1] = []
    return list(dict.fromkeys(name for block in blocks for name in block))


def _literal(name: str) -> bool:
    return not set("*?!,") & set(name) and broken(name, HOST) is None


def _settings(file: Path, base: Path, depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield keyword (lower case) and words of each line, those of included files in place."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        keyword, words = _setting(line)
        if keyword != "include":
            yield keyword, words
        elif depth < DEEPEST_INCLUDE:
            for word in words:
                for included in sorted(glob(os.path.join(base, os.path.expanduser(word)))):
                    yield from _settings(Path(included), base, depth + 1)


def _setting(line: str) -> tuple[str, list[str]]:
    import shlex

    match = SETTING.match(line)
    if match is None:
        return "", []
    try:
        return match[1].lower(), shlex.split(match[2], comments=True)
    except ValueError:  # a quote that is never closed: ssh refuses the line
        return "", []
