import json
from pathlib import Path
from typing import Any

import pytest

from igor_core.config import ConfigError
from igor_core.config.read import parse
from tests.support.config_mistakes import HOST, MISTAKES, config

FILE = Path("config.json")


def mistakes(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), FILE)
    return [f"{problem.line}: {problem}" for problem in caught.value.problems]


@pytest.mark.parametrize(("wrong", "sentence"), MISTAKES, ids=[m[1][:60] for m in MISTAKES])
def test_a_mistake_is_answered_in_one_sentence(wrong: Any, sentence: str) -> None:
    assert mistakes(json.dumps(wrong)) == [f"1: {sentence}"]


def test_the_same_folder_twice_in_a_group_is_a_mistake() -> None:
    hosts = [{"host": "apollo", "dir": "/data"}, {"dir": "/data/", "host": "apollo"}]
    wrong = {"host_groups": {"dev": {"hosts": hosts}}}
    assert mistakes(json.dumps(wrong)) == [f"1: host_groups.dev.hosts[1]: is the same as {HOST}"]


def test_a_key_that_stands_twice_is_a_mistake_wherever_it_is() -> None:
    text = """{
  "user": "a",
  "host_groups": {"dev": {"hosts": [{"host": "x",
                                     "dir": "/d",
                                     "host": "y"}]},
                  "dev": {"hosts": [{"host": "x", "dir": "/d"}]}},
  "user": "b"
}"""
    assert mistakes(text) == [
        "6: host_groups.dev: duplicate key",
        "7: user: duplicate key",
    ]
    assert mistakes(text.replace('},\n                  "dev"', '},\n                  "two"')) == [
        f"5: {HOST}.host: duplicate key",
        "7: user: duplicate key",
    ]


def test_a_missing_key_is_on_the_line_of_its_table() -> None:
    text = '{\n "host_groups": {\n  "dev": {\n   "hosts": [\n    {},\n    {"host": "a"}]}}}'
    assert mistakes(text) == [
        f"5: {HOST}.host: is missing",
        f"5: {HOST}.dir: is missing",
        "6: host_groups.dev.hosts[1].dir: is missing",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: not JSON at column 1: the file is empty"),
        (" \n ", "1: not JSON at column 1: the file is empty"),
        (
            '{\n "a": 1,\n}',
            "2: not JSON at column 8: remove this comma before '}'",
        ),
        ("[1,]", "1: not JSON at column 3: remove this comma before ']'"),
        ('{"a": 1\n "b": 2}', "2: not JSON at column 2: expected ',' or '}', found '\"'"),
        ('{"a" 1}', "1: not JSON at column 6: expected ':' after the key 'a'"),
        ("{a: 1}", "1: not JSON at column 2: expected a key in double quotes, found 'a'"),
        ("{'a': 1}", '1: not JSON at column 2: expected a key in double quotes, found "\'"'),
        ("{\"a\": 'b'}", "1: not JSON at column 7: strings need double quotes"),
        ('{"a": True}', "1: not JSON at column 7: expected a value, found 'T'"),
        ('{"a": NaN}', "1: not JSON at column 7: not a valid JSON number"),
        ('{"a": }', "1: not JSON at column 7: expected a value, found '}'"),
        ('{"a":', "1: not JSON at column 6: expected a value, found the end of the file"),
        ('{\n // no\n "a": 1}', "2: not JSON at column 2: JSON has no comments; remove it"),
        ('{"a": 1 # no\n}', "1: not JSON at column 9: JSON has no comments; remove it"),
        ('{"a":\n [1, 2', "2: not JSON at column 2: '[' is never closed"),
        ("{", "1: not JSON at column 1: '{' is never closed"),
        ('{"a": "b\n"}', "1: not JSON at column 7: this string has no closing quote on its line"),
        ('{"a": "b', "1: not JSON at column 7: this string has no closing quote on its line"),
        (
            '{"a": "\\d"}',
            "1: not JSON at column 8: unknown escape sequence; write \\\\ for a backslash",
        ),
        (
            '{"a": "\\ud800"}',
            "1: not JSON at column 7: this string contains half a surrogate pair, "
            "which is no character",
        ),
        ("{} {}", "1: not JSON at column 4: unexpected text after the closing bracket"),
        ("[" * 100_000, "1: not JSON at column 51: nested deeper than 50 levels"),
        ('{"a\\u001b[2J" 1}', "1: not JSON at column 15: expected ':' after the key 'a\\x1b[2J'"),
        (
            b'{\n "user": "Andr\xe9"}',
            "2: not JSON at column 15: the byte 0xe9 is not UTF-8; save the file as UTF-8",
        ),
        (
            '{"user": "x"}'.encode("utf-16"),
            "1: not JSON at column 1: the file is UTF-16; save it as UTF-8",
        ),
    ],
)
def test_what_is_not_json_is_said_with_line_and_column(text: str | bytes, message: str) -> None:
    assert mistakes(text) == [message]


def test_a_number_of_thousands_of_digits_is_answered() -> None:
    (mistake,) = mistakes('{"debug_port": ' + "9" * 10_000 + "}")
    assert mistake.startswith("1: ")


def test_hostile_text_never_reaches_the_terminal_raw() -> None:
    hostile = "\x1b]0;owned\x07\u202e\x9b2J"
    wrong = config(**{hostile: 1}, user=hostile, runtime=hostile, docker_build_args={hostile: "1"})
    for mistake in mistakes(json.dumps(wrong)):
        assert mistake.isprintable()
