"""The shape and size of hosts' answers, checked before anything else reads them.

A host may be broken, or lie. What it answers as JSON is described by a shape; what isn't of that
shape raises WrongShape with a few words on where and what. All shapes are closed: both ends are
of one version, so a member that nobody knows is wrong too, except in what an engine prints.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

# Raises WrongShape unless the value, which stands at a place of that name, is of the shape.
Shape = Callable[[Any, str], None]

MOST_PATH = 4096
# So much of what a host says is told to people.
MOST_WORDS = 1000
MOST_JSON = 1 << 20


class WrongShape(ValueError):
    """A host's answer has the wrong shape or size."""


def number(least: int = 0, most: int = (1 << 63) - 1) -> Shape:
    """A whole number in a range."""

    def check(value: Any, where: str) -> None:
        if type(value) is not int or not least <= value <= most:
            raise WrongShape(f"{where} is no number from {least} to {most}")

    return check


def text(most: int = MOST_PATH) -> Shape:
    """A string of at most this many characters."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise WrongShape(f"{where} is no text")
        if len(value) > most:
            raise WrongShape(f"{where} has {len(value)} characters")

    return check


def file_path(value: Any, where: str) -> None:
    """The name of a file or folder; empty for none."""
    text()(value, where)
    if "\0" in value:
        raise WrongShape(f"{where} is no path")


def truth(value: Any, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongShape(f"{where} is neither true nor false")


def moment(value: Any, where: str) -> None:
    """Seconds of Unix time, with or without a fraction."""
    if type(value) not in (int, float) or not 0 <= value < 1 << 40:
        raise WrongShape(f"{where} is no moment")


def anything(_value: Any, _where: str) -> None:
    """Any value; nothing reads it."""


def optional(shape: Shape) -> Shape:
    """Null, or a value of `shape`."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            shape(value, where)

    return check


def items(shape: Shape, most: int = 1 << 16, least: int = 0) -> Shape:
    """A list of `least` to `most` items."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise WrongShape(f"{where} is no list")
        if not least <= len(value) <= most:
            raise WrongShape(f"{where} has {len(value)} items")
        for item in value:
            shape(item, where)

    return check


def table(shape: Shape, most: int = 1 << 16) -> Shape:
    """An object whose names the host chooses."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise WrongShape(f"{where} is no object")
        if len(value) > most:
            raise WrongShape(f"{where} has {len(value)} members")
        for item in value.values():
            shape(item, where)

    return check


def members(
    needed: Mapping[str, Shape],
    further: Mapping[str, Shape] | None = None,
    *,
    others: bool = False,
) -> Shape:
    """An object with all of `needed` and any of `further`; with `others`, also other members."""
    known = {**needed, **(further or {})}

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise WrongShape(f"{where} is no object")
        for name in needed:
            if name not in value:
                raise WrongShape(f"{where} has no '{name}'")
        for name, item in value.items():
            if name in known:
                known[name](item, f"'{name}' of {where}")
            elif not others:
                raise WrongShape(f"{where} has an unknown '{words(name)[:40]}'")

    return check


def parsed(data: bytes, shape: Shape, where: str, most: int = MOST_JSON) -> Any:
    """Parse the JSON in `data` and check its shape. Raises WrongShape."""
    if len(data) > most:
        raise WrongShape(f"{where} has {len(data)} bytes")
    try:
        found = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        said = "is nested too deeply" if isinstance(error, RecursionError) else "is no JSON"
        raise WrongShape(f"{where} {said}") from None
    shape(found, where)
    return found


def words(said: "str | bytes") -> str:
    """A host's own message as one short line."""
    told = said[: 4 * MOST_WORDS]
    if isinstance(told, bytes):
        told = told.decode("utf-8", "replace")
    return shortened(" ".join(told.split()))


def shortened(told: str) -> str:
    return told if len(told) <= MOST_WORDS else told[: MOST_WORDS - 1] + "…"


def _no_constant(name: str) -> None:
    raise ValueError(name)
