"""The words of a command line, as a verb of the table and its values.

argparse is not used: building its parsers takes 11 ms, a third of a warm push; and its REMAINDER,
which `exec` would need, treats `--` differently from one Python to the next.
"""

from typing import Any, NamedTuple

from igor_core.commands import option_words
from igor_core.commands.model import Verb
from igor_core.commands.options import GLOBAL, HELP
from igor_core.commands.table import BY_WORDS
from igor_core.errors import UsageError
from igor_core.nearest import nearest

TAKES_VALUE = {
    flag: bool(option.value)
    for options in (GLOBAL, *(verb.options for verb in BY_WORDS.values()))
    for option in options
    for flag in option.flags
}


class Invocation(NamedTuple):
    """A verb and what was given to it, by the keys of its options and operand.

    `verb` is None if only help or the version is asked for; `words` are the verb's words as far as
    they were given.
    """

    verb: Verb | None
    words: str
    values: dict[str, Any]

    def hint(self) -> str:
        return f"igor {self.words} --help".replace("  ", " ")


class Given(NamedTuple):
    """The sorted words of a command line, before they are compared with the table."""

    words: list[str]
    options: list[tuple[str, str]]
    operands: list[str]

    @property
    def verb(self) -> Verb | None:
        return BY_WORDS.get(" ".join(self.words))


def parse(arguments: list[str]) -> Invocation:
    """What `arguments`, without the program's name, ask for. Raises UsageError."""
    given = read(arguments)
    words = " ".join(given.words)
    flags = [flag for flag, _value in given.options]
    if "--version" in flags:
        return Invocation(None, words, {"version": True})
    if any(flag in HELP.flags for flag in flags):
        return Invocation(None, words, {"help": True})
    if given.verb is None:
        raise UsageError(_which(words), f"igor {words} --help".replace("  ", " "))
    values = _option_values(given.verb, given.options)
    return Invocation(given.verb, words, values | _operand(given.verb, given.operands))


def read(arguments: list[str]) -> Given:
    """Sort the words. All that follows the first operand of a verb like exec is its own."""
    given = Given([], [], [])
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        verb = given.verb
        if word == "--":
            given.operands.extend(rest)
            break
        if option_words.is_option(word):
            given.options.append(option_words.take(word, rest, TAKES_VALUE, "igor --help"))
            if verb is not None and _is_last(verb, given.options[-1][0]):
                given.operands.extend(rest)
                break
        elif verb is None:
            given.words.append(word)
            _check_words(given.words)
        else:
            given.operands.append(word)
            if verb.operand is not None and verb.operand.rest:
                given.operands.extend(rest)
                break
    return given


def _is_last(verb: Verb, flag: str) -> bool:
    return any(option.last and flag in option.flags for option in verb.options)


def _check_words(words: list[str]) -> None:
    """UsageError unless `words` are a command or begin one."""
    begun = [known.split()[: len(words)] for known in BY_WORDS]
    if words not in begun:
        candidates = [known[-1] for known in begun if known[:-1] == words[:-1]]
        raise UsageError(
            f"no command 'igor {' '.join(words)}'{nearest(words[-1], candidates)}",
            f"igor {' '.join(words[:-1])} --help".replace("  ", " "),
        )


def _which(words: str) -> str:
    if not words:
        return "which command?"
    known = (command.split()[-1] for command in BY_WORDS if command.startswith(words + " "))
    return f"igor {words} what? One of: {', '.join(known)}"


def _option_values(verb: Verb, given: list[tuple[str, str]]) -> dict[str, Any]:
    known = option_words.by_flag(GLOBAL + verb.options)
    values: dict[str, Any] = {}
    for flag, value in given:
        if flag not in known:
            raise UsageError(
                f"'igor {verb.words}' has no option {flag}", f"igor {verb.words} --help"
            )
        option_words.put(values, known[flag], value)
    return values


def _operand(verb: Verb, given: list[str]) -> dict[str, Any]:
    """The operand's value, or nothing where it may be absent and is."""
    operand = verb.operand
    if operand is None:
        if given:
            raise UsageError(f"'igor {verb.words}' takes no argument, found {given[0]!r}")
        return {}
    if not given:
        if operand.optional:
            return {}
        choices = f" ({', '.join(operand.choices)})" if operand.choices else ""
        raise UsageError(f"'igor {verb.words}' needs {operand.label}{choices}")
    if operand.rest or operand.many:
        return {operand.key: given}
    if len(given) > 1:
        raise UsageError(f"'igor {verb.words}' takes one {operand.label}, found {given[1]!r} too")
    if operand.choices and given[0] not in operand.choices:
        raise UsageError(f"{given[0]!r} is none of {', '.join(operand.choices)}")
    return {operand.key: given[0]}
