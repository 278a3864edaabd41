"""`--help` and `--version`, from the table of commands."""

from igor_core import __version__
from igor_core.cli import report
from igor_core.cli.outlet import STDOUT
from igor_core.cli.text import table
from igor_core.commands.model import Operand, Option, Verb
from igor_core.commands.options import GLOBAL
from igor_core.commands.parse import Invocation
from igor_core.commands.table import visible


def run(invocation: Invocation) -> int:
    """Print the version, or the help for the words that were given."""
    if "version" in invocation.values:
        lines = [f"igor {__version__}"]
    else:
        lines = help_lines(invocation.words)
    report.show(STDOUT, lines)
    return 0


def help_lines(words: str) -> list[str]:
    """Return help for a command ("docker exec"), for those starting with `words`, or for all."""
    found = [c for c in visible() if f"{c.words} ".startswith(f"{words} ".lstrip())]
    if len(found) == 1 and found[0].words == words:
        return _command_help(found[0])
    rows = [[f"  igor {usage(verb)}", verb.help] for verb in found]
    return [
        "igor: edit here, run there.",
        "",
        *table(rows),
        "",
        "With every command:",
        *_option_lines(GLOBAL),
        "",
        "More: igor COMMAND --help, and :help igor in Neovim.",
    ]


def usage(verb: Verb) -> str:
    """Return the usage line: `docker exec [options] CMD…`."""
    options = ["[options]"] if verb.options else []
    return " ".join([verb.words, *options, *_label(verb.operand)])


def _command_help(verb: Verb) -> list[str]:
    lines = [f"igor {usage(verb)}", "", verb.help, ""]
    if verb.options:
        lines += ["Options:", *_option_lines(verb.options), ""]
    return [*lines, "With every command:", *_option_lines(GLOBAL)]


def _option_lines(options: tuple[Option, ...]) -> list[str]:
    return table([[f"  {', '.join(_spelled(option))}", option.help] for option in options])


def _spelled(option: Option) -> list[str]:
    return [f"{flag} {option.value}".rstrip() for flag in option.flags]


def _label(operand: Operand | None) -> list[str]:
    if operand is None:
        return []
    label = "|".join(operand.choices) or operand.label
    return [f"[{label}]" if operand.optional else label]
