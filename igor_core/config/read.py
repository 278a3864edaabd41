"""Read a file into a Config, or list all its mistakes."""

import os
import stat
from pathlib import Path

from igor_core.config.check import build, problems
from igor_core.config.model import Config
from igor_core.config.problem import ConfigError, Problem
from igor_core.config.rules import Key
from igor_core.config.scan import JsonSyntaxError, Node, scan

LARGEST = 1_000_000  # bytes; a config has hundreds


def load(file: Path) -> Config:
    """Read a config file. Raises ConfigError with all its mistakes."""
    return parse(read_bytes(file), file)


def parse(data: bytes, file: Path) -> Config:
    """Read the config in `data`, the content of `file`. Raises ConfigError, as `load` does."""
    node = _node(data, file)
    found = list(problems(node, Config, Key("")))
    if found:
        raise ConfigError(file, found)
    config: Config = build(node, Config)
    return config


def read_bytes(file: Path) -> bytes:
    """Return the file's content. Refuses pipes and devices, which may never end."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise ConfigError(file, [Problem("", 0, "is not a regular file")])
        with open(file, "rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(file, [Problem("", 0, f"can't be read: {error.strerror}")]) from error
    if len(data) > LARGEST:
        raise ConfigError(
            file, [Problem("", 0, f"is larger than {LARGEST} bytes, so it is not a config")]
        )
    return data


def _node(data: bytes, file: Path) -> Node:
    try:
        return scan(_text(data))
    except JsonSyntaxError as error:
        message = f"not JSON at column {error.column}: {error.message}"
        raise ConfigError(file, [Problem("", error.line, message)]) from error


def _text(data: bytes) -> str:
    """Decode UTF-8, without the byte order mark that some editors write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise JsonSyntaxError("the file is UTF-16; save it as UTF-8", 1, 1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise JsonSyntaxError(message, before.count(b"\n") + 1, column) from error
