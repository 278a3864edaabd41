import pytest

from igor_core.cli.job import verb_arguments
from igor_core.commands.options import GLOBAL
from igor_core.commands.parse import parse
from igor_core.commands.table import BY_WORDS
from igor_core.errors import UsageError


@pytest.mark.parametrize(
    "line",
    [
        "push -g aws --json -C /tmp --host a --host b",
        "-C /tmp --json push --host=a --host-group=aws --host b",
        "--json -C/tmp -g aws push --host a --host b",
        "push --host_group aws -C /tmp --host a --json --host b",
    ],
)
def test_options_are_taken_before_and_after_the_command_in_all_spellings(line: str) -> None:
    invocation = parse(line.split())
    assert invocation.verb is BY_WORDS["push"]
    assert invocation.values == {
        "group": "aws",
        "json": True,
        "directory": "/tmp",
        "hosts": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ls", "-la", "--json", "-g", "x"], {"argv": ["ls", "-la", "--json", "-g", "x"]}),
        (["--no-push", "ls", "--no-push"], {"argv": ["ls", "--no-push"], "no_push": True}),
        (["--", "-weird", "--", "x"], {"argv": ["-weird", "--", "x"]}),
        (["nvidia-smi"], {"argv": ["nvidia-smi"]}),
        (["./bin/run_it-2.sh"], {"argv": ["./bin/run_it-2.sh"]}),
        (["ls | wc -l"], {"shell": "ls | wc -l"}),
        (["echo$HOME"], {"shell": "echo$HOME"}),
        (["ls", "*; rm -rf"], {"argv": ["ls", "*; rm -rf"]}),
        (["-g", "aws", "--host=a", "-", "x"], {"argv": ["-", "x"], "group": "aws", "hosts": ["a"]}),
    ],
)
def test_exec_takes_all_after_the_first_word_as_the_command(
    words: list[str], expected: dict[str, object]
) -> None:
    arguments = verb_arguments(parse(["docker", "exec", *words]))
    assert arguments == {**expected, "stdin": True}


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("", "which command?", "igor --help"),
        ("psuh", "no command 'igor psuh'; did you mean 'push'?", "igor --help"),
        (
            "docker biuld",
            "no command 'igor docker biuld'; did you mean 'build'?",
            "igor docker --help",
        ),
        (
            "docker",
            "igor docker what? One of: build, clean, setup, exec, repl",
            "igor docker --help",
        ),
        ("push --forse", "no option --forse; did you mean '--force'?", "igor --help"),
        ("push --images", "'igor push' has no option --images", "igor push --help"),
        ("push --force=yes", "the option --force takes no value", ""),
        ("push -g", "the option -g needs a value", ""),
        ("push --host=", "the value of the option --host is empty", ""),
        ("push now", "'igor push' takes no argument, found 'now'", ""),
        ("docker exec", "'igor docker exec' needs CMD…", ""),
        ("cancel", "'igor cancel' needs ID", ""),
        ("cancel 1 2", "'igor cancel' takes one ID, found '2' too", ""),
        ("completion", "'igor completion' needs SHELL (bash, zsh, fish)", ""),
        ("completion tcsh", "'tcsh' is none of bash, zsh, fish", ""),
    ],
)
def test_a_wrong_line_is_answered_in_one_sentence(line: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line.split())
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_run_takes_all_after_the_file_as_the_programs() -> None:
    given = parse(["run", "--host", "apollo", "train.py", "--host", "x", "-g", "--"])
    assert verb_arguments(given) == {
        "hosts": ["apollo"],
        "file": "train.py",
        "args": ["--host", "x", "-g", "--"],
        "stdin": True,
    }


def test_places_are_asked_for_where_they_are_told() -> None:
    assert verb_arguments(parse(["--json", "docker", "build"])) == {"places": True}
    assert verb_arguments(parse(["--json", "push"])) == {}


def test_an_empty_command_to_exec_is_refused() -> None:
    with pytest.raises(UsageError, match="empty word"):
        verb_arguments(parse(["docker", "exec", ""]))


def test_help_is_for_the_words_before_it_and_not_for_the_command_that_exec_runs() -> None:
    assert parse(["docker", "--help"]).words == "docker"
    assert parse(["docker", "exec", "-h"]).words == "docker exec"
    assert parse(["docker", "exec", "ls", "--help"]).values == {"command": ["ls", "--help"]}


def test_a_flag_takes_a_value_everywhere_or_nowhere() -> None:
    arity: dict[str, bool] = {}
    for command in BY_WORDS.values():
        for option in GLOBAL + command.options:
            for flag in option.flags:
                assert arity.setdefault(flag, bool(option.value)) == bool(option.value), flag
