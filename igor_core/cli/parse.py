"""From words to a command of the table and its values.

Not argparse: building its parsers takes 11 ms, a third of a warm push; and its REMAINDER, which
`exec` would need, treats `--` differently from one Python to the next.
"""

from typing import Any, NamedTuple

from igor_core.cli.commands import COMMANDS, GLOBAL, HELP, Command, Option
from igor_core.errors import UsageError

TAKES_VALUE = {
    flag: bool(option.value)
    for options in (GLOBAL, *(command.options for command in COMMANDS.values()))
    for option in options
    for flag in option.flags
}


class Invocation(NamedTuple):
    """A command and what was given to it, by the keys of its options and operand.

    `command` is None where only help or the version is asked for; `words` are the command's
    words as far as they were given.
    """

    command: Command | None
    words: str
    values: dict[str, Any]

    def hint(self) -> str:
        return f"igor {self.words} --help".replace("  ", " ")


class Given(NamedTuple):
    """What stood on the command line, before it is compared with the table."""

    words: list[str]
    options: list[tuple[str, str]]
    operands: list[str]

    @property
    def command(self) -> Command | None:
        return COMMANDS.get(" ".join(self.words))


def parse(arguments: list[str]) -> Invocation:
    """The command that `arguments` (without the program's name) ask for, or a UsageError."""
    given = read(arguments)
    words = " ".join(given.words)
    flags = [flag for flag, _value in given.options]
    if "--version" in flags:
        return Invocation(None, words, {"version": True})
    if any(flag in HELP.flags for flag in flags):
        return Invocation(None, words, {"help": True})
    if given.command is None:
        raise UsageError(_which(words), f"igor {words} --help".replace("  ", " "))
    values = _option_values(given.command, given.options)
    return Invocation(given.command, words, values | _operand(given.command, given.operands))


def read(arguments: list[str]) -> Given:
    """Sort the words; what follows the first operand of a command like exec is its own."""
    given = Given([], [], [])
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        command = given.command
        if word == "--":
            given.operands.extend(rest)
            break
        if word.startswith("-") and word != "-":
            given.options.append(_option(word, rest))
            if command is not None and _is_last(command, given.options[-1][0]):
                given.operands.extend(rest)
                break
        elif command is None:
            given.words.append(word)
            _check_words(given.words)
        else:
            given.operands.append(word)
            if command.operand is not None and command.operand.rest:
                given.operands.extend(rest)
                break
    return given


def _is_last(command: Command, flag: str) -> bool:
    return any(option.last and flag in option.flags for option in command.options)


def _option(word: str, rest: list[str]) -> tuple[str, str]:
    """The flag and value of the option `word`; the value may be the next of `rest`."""
    flag, equals, value = word.partition("=")
    if not word.startswith("--") and len(word) > 2:
        flag, equals, value = word[:2], "=", word[2:]
    if flag not in TAKES_VALUE:
        raise UsageError(f"no option {flag}{_nearest(flag, TAKES_VALUE)}", "igor --help")
    if not TAKES_VALUE[flag]:
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


def _check_words(words: list[str]) -> None:
    """UsageError unless `words` are a command or begin one."""
    begun = [known.split()[: len(words)] for known in COMMANDS]
    if words not in begun:
        candidates = [known[-1] for known in begun if known[:-1] == words[:-1]]
        raise UsageError(
            f"no command 'igor {' '.join(words)}'{_nearest(words[-1], candidates)}",
            f"igor {' '.join(words[:-1])} --help".replace("  ", " "),
        )


def _which(words: str) -> str:
    if not words:
        return "which command?"
    known = (command.split()[-1] for command in COMMANDS if command.startswith(words + " "))
    return f"igor {words} what? One of: {', '.join(known)}"


def _option_values(command: Command, given: list[tuple[str, str]]) -> dict[str, Any]:
    known = {flag: option for option in GLOBAL + command.options for flag in option.flags}
    values: dict[str, Any] = {}
    for flag, value in given:
        if flag not in known:
            raise UsageError(
                f"'igor {command.words}' has no option {flag}", f"igor {command.words} --help"
            )
        _put(values, known[flag], value)
    return values


def _put(values: dict[str, Any], option: Option, value: str) -> None:
    if option.many:
        values.setdefault(option.key, []).append(value)
    else:
        values[option.key] = value if option.value else True


def _operand(command: Command, given: list[str]) -> dict[str, Any]:
    """The operand's value, or nothing where it may be absent and is."""
    operand = command.operand
    if operand is None:
        if given:
            raise UsageError(f"'igor {command.words}' takes no argument, found {given[0]!r}")
        return {}
    if not given:
        if operand.optional:
            return {}
        choices = f" ({', '.join(operand.choices)})" if operand.choices else ""
        raise UsageError(f"'igor {command.words}' needs {operand.label}{choices}")
    if operand.rest or operand.many:
        return {operand.key: given}
    if len(given) > 1:
        raise UsageError(
            f"'igor {command.words}' takes one {operand.label}, found {given[1]!r} too"
        )
    if operand.choices and given[0] not in operand.choices:
        raise UsageError(f"{given[0]!r} is none of {', '.join(operand.choices)}")
    return {operand.key: given[0]}


def _nearest(word: str, known: Any) -> str:
    from igor_core.config.wording import nearest

    return nearest(word, list(known))
