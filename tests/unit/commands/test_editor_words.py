"""The words of a Neovim command: options in front, then the line of a program as it was typed."""

import pytest

from igor_core.commands.editor_words import read_line
from igor_core.commands.table import verb_named


@pytest.mark.parametrize(
    ("line", "values", "rest"),
    [
        ("-m 'pkg.mod' a b", {"module": "pkg.mod"}, "a b"),
        ('--host "apollo" -m pkg', {"hosts": ["apollo"], "module": "pkg"}, ""),
        ("--host='two words' it's", {"hosts": ["two words"]}, "it's"),
        (r"--host two\ words x  'y  z'", {"hosts": ["two words"]}, "x  'y  z'"),
        ("it's $HOME", {}, "it's $HOME"),
        ("-- --host x", {}, "--host x"),
    ],
)
def test_options_are_quoted_as_in_a_shell_and_the_rest_is_left(
    line: str, values: dict[str, object], rest: str
) -> None:
    assert read_line(verb_named("debug"), line) == (values, rest)
