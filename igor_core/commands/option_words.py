"""Reading options: the same for a command line and for a command of Neovim."""

from collections.abc import Iterable, Mapping
from typing import Any

from igor_core.commands.model import Option
from igor_core.errors import UsageError
from igor_core.nearest import nearest


def by_flag(options: Iterable[Option]) -> dict[str, Option]:
    """The options by each of their spellings."""
    return {flag: option for option in options for flag in option.flags}


def is_option(word: str) -> bool:
    return word.startswith("-") and word not in ("-", "--")


def split(word: str) -> tuple[str, str, str]:
    """`--flag=value` and `-fvalue` as flag, "=" and value; a flag alone has two empty texts."""
    if not word.startswith("--") and len(word) > 2:
        return word[:2], "=", word[2:].removeprefix("=")
    return word.partition("=")


def take(
    word: str, rest: list[str], takes_value: Mapping[str, bool], hint: str = ""
) -> tuple[str, str]:
    """The flag and the value of the option `word`; the value may be taken from `rest`.

    `takes_value` has the flags that are known, `hint` what to say about an unknown one. Raises
    UsageError.
    """
    flag, equals, value = split(word)
    if flag not in takes_value:
        raise UsageError(f"no option {flag}{nearest(flag, takes_value)}", hint)
    if not takes_value[flag]:
        if equals:
            raise UsageError(f"the option {flag} takes no value")
        return flag, ""
    if not equals:
        if not rest:
            raise UsageError(f"the option {flag} needs a value")
        value = rest.pop(0)
    if not value:
        raise UsageError(f"the value of the option {flag} is empty")
    return flag, value


def put(values: dict[str, Any], option: Option, value: str) -> None:
    """Add what was given for an option to the values, by its key."""
    if option.many:
        values.setdefault(option.key, []).append(value)
    else:
        values[option.key] = value if option.value else True
