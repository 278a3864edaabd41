"""The table of verbs: each row leads somewhere, and its traits are what the rest relies on."""

import importlib
import inspect
import subprocess
import sys

import pytest

from igor_core.commands.recipe import load
from igor_core.commands.table import BY_WORDS, VERBS, in_editor, verb_named, visible


def names(trait: str) -> set[str]:
    return {verb.name for verb in VERBS.values() if getattr(verb, trait)}


@pytest.mark.parametrize("verb", [v for v in VERBS.values() if v.recipe], ids=lambda v: v.name)
def test_each_recipe_is_a_coroutine_of_a_job_and_a_context(verb: object) -> None:
    recipe = load(verb.recipe)  # type: ignore[attr-defined]
    assert inspect.iscoroutinefunction(recipe)
    assert len(inspect.signature(recipe).parameters) == 2


@pytest.mark.parametrize("verb", BY_WORDS.values(), ids=lambda v: v.words)
def test_each_command_of_the_terminal_has_its_function(verb: object) -> None:
    assert callable(load(f"igor_core.cli.{verb.terminal}"))  # type: ignore[attr-defined]


def test_data_is_shown_by_a_function_of_the_tables() -> None:
    tables = importlib.import_module("igor_core.cli.tables")
    for verb in VERBS.values():
        assert not verb.shows or callable(getattr(tables, verb.shows)), verb.name


def test_each_command_of_neovim_has_its_handler_and_is_named_after_its_verb() -> None:
    for verb in in_editor():
        editor = verb.editor
        assert editor is not None
        assert editor.name == f"Igor{verb.name.title()}"
        if not editor.lua:
            assert callable(load(f"igor_core.bridge.{editor.run}"))
        if editor.bang not in ("", "own"):
            assert editor.bang in {option.key for option in verb.options}


def test_names_and_words_are_unique() -> None:
    words = [verb.words for verb in VERBS.values() if verb.words]
    assert len(set(words)) == len(words)
    assert [verb.words for verb in visible()] == [w for w in words if not w.startswith("__")]


def test_what_igor_asks_by_itself_is_not_listed_among_jobs() -> None:
    unlisted = {verb.name for verb in VERBS.values() if verb.recipe and not verb.is_listed}
    assert unlisted == {"jobs", "processes", "locate", "read", "watch"}


def test_an_editor_that_only_listens_is_no_work_for_the_agent() -> None:
    assert {verb.name for verb in VERBS.values() if not verb.is_work} == {"watch"}


def test_verbs_that_show_something_end_when_nobody_reads_it() -> None:
    shown = {"exec", "run", "debug", "repl", "diff", "stack"}
    assert shown <= names("writes_output")
    assert names("writes_output") <= names("ends_with_client")


def test_verbs_that_change_hosts_finish_without_their_client() -> None:
    assert not {"push", "build", "setup", "clean"} & names("ends_with_client")


def test_verbs_that_run_the_users_files_ask_about_modified_buffers_and_push() -> None:
    assert names("asks_unwritten") == names("runs_program")
    assert names("runs_program") <= names("pushes")


def test_an_unknown_verb_has_no_traits() -> None:
    assert not verb_named("nonsense").ends_with_client


def test_the_table_imports_nothing_that_is_slow() -> None:
    code = "import sys, igor_core.commands.parse; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncio", "asyncssh", "pynvim", "msgpack", "difflib", "dataclasses"}
