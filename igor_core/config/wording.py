"""How the checker words keys and values."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from igor_core.config.rules import VARIABLE
from igor_core.nearest import nearest

SHOWN = 60  # characters of a wrong value


def unknown(name: str, known: Mapping[str, object]) -> str:
    guess = nearest(name, known)
    return f"unknown key{guess or '; known keys: ' + ', '.join(known)}"


def member(path: str, name: str) -> str:
    """Return `path.name`, or `path['na me']` for a name with unusual characters."""
    simple = len(name) <= SHOWN and not any(r.broken_by(name.replace("-", "_")) for r in VARIABLE)
    if simple:
        return f"{path}.{name}" if path else name
    return f"{path}[{shown(name)}]"


def expected(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return one_of(get_args(kind))
    if kind is str:
        return "a string"
    if kind is int:
        return "an integer"
    if kind is float:
        return "a number"
    if kind is bool:
        return "true or false"
    return "an array ([...])" if get_origin(kind) is tuple else "an object ({...})"


def described(value: object) -> str:
    if isinstance(value, str):
        return f"the string {shown(value)}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return "an array" if isinstance(value, list) else "an object"


def one_of(choices: tuple[str, ...]) -> str:
    return " or ".join(repr(choice) for choice in choices)


def shown(text: str) -> str:
    """Return the text in quotes, shortened, on one line, with control characters escaped."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")
