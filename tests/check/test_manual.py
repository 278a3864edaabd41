"""`:help igor` is well-formed and speaks of what there is: the config, and Neovim's part."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from igor_core.commands.table import VERBS, in_editor
from igor_core.config import schema
from tests.lab.cache import neovim
from tests.lab.required import require_peer

CHECKOUT = Path(__file__).parents[2]
MANUAL = CHECKOUT / "doc" / "igor.txt"
TEXT = MANUAL.read_text(encoding="utf-8")
TAGS = set(re.findall(r"(?<!\S)\*(\S+)\*(?!\S)", TEXT))
WIDTH = 78


def lua(name: str) -> str:
    return (CHECKOUT / "lua" / "igor" / name).read_text(encoding="utf-8")


def tags_with(prefix: str) -> set[str]:
    return {tag.removeprefix(prefix) for tag in TAGS if tag.startswith(prefix)}


def config_keys(table: dict[str, Any], above: str = "") -> Iterator[str]:
    """The keys of the schema, with those above them; names of groups are left out."""
    for name, value in table.get("properties", {}).items():
        if not name.startswith("$"):
            yield above + name
            yield from config_keys(value, f"{above}{name}.")
    for inner in ("items", "additionalProperties"):
        if isinstance(table.get(inner), dict):
            yield from config_keys(table[inner], above)


def test_each_key_of_the_config_has_its_tag_and_each_such_tag_its_key() -> None:
    assert tags_with("igor-config.") == set(config_keys(schema()))


def test_each_default_of_the_config_is_told() -> None:
    for name, value in schema()["properties"].items():
        if "default" in value and value["default"] != []:
            entry = TEXT.partition(f"*igor-config.{name}*")[2].partition("\n\n")[0]
            default = json.dumps(value["default"]).strip('"')
            assert f"default {default}" in entry.replace('"', ""), name


def test_each_command_of_neovim_has_its_tag_and_each_such_tag_its_command() -> None:
    assert tags_with(":") == {verb.editor.name for verb in in_editor() if verb.editor}


def section(tag: str) -> str:
    """The paragraph about a tag, as one line."""
    return " ".join(TEXT.partition(f"*{tag}*")[2].split("\n\n")[0].split())


def commands_in(text: str) -> set[str]:
    return set(re.findall(r"\|:(Igor\w+)\|", text))


def editor_names(trait: str) -> set[str]:
    """The commands of Neovim whose verbs have a trait of the table."""
    return {verb.editor.name for verb in in_editor() if verb.editor and getattr(verb, trait)}


def test_the_commands_that_ask_about_modified_buffers_are_told_wherever_it_is_said() -> None:
    first = re.search(r"(?s)Commands send what is on disk\. (.*?) ask before", TEXT)
    assert first
    assert commands_in(first[1]) == editor_names("asks_unwritten")
    sentence = section("igor-unwritten").partition(" ask if ")[0]
    assert commands_in(sentence) == editor_names("asks_unwritten")


def test_the_commands_that_open_their_output_are_told() -> None:
    default = TEXT.partition("*igor-option-output.open*")[2].partition(">lua")[2].partition("<")[0]
    opening = {verb.name for verb in VERBS.values() if verb.opens_output}
    assert set(re.findall(r"'(\w+)'", default)) == opening


def test_each_flag_of_a_command_of_neovim_is_told_with_it() -> None:
    shared = TEXT.partition("Options of commands that act on hosts ~")[2].partition("Files ~")[0]
    for verb in in_editor():
        assert verb.editor is not None
        about = TEXT.partition(f"*:{verb.editor.name}*")[2].partition("*:Igor")[0] + shared
        missing = [o.name for o in verb.editor_options() if o.name not in about]
        assert not missing, (verb.editor.name, missing)


def test_each_option_of_setup_has_its_tag_and_each_such_tag_its_option() -> None:
    assert tags_with("igor-option-") == set(re.findall(r"name = '([\w.]+)'", lua("options.lua")))


def test_each_default_key_is_told() -> None:
    for name, keys in re.findall(r"(\w+) = '(<leader>\w+)'", lua("command/keymaps.lua")):
        command = name.split("_")[0].capitalize()
        assert re.search(rf"{keys} +{name} +\|:Igor{command}\|", TEXT), keys


def test_no_link_leads_nowhere() -> None:
    links = set(re.findall(r"\|(:?[Ii]gor[^|\s]*)\|", TEXT + lua("options.lua") + lua("init.lua")))
    assert links
    assert links <= TAGS


def test_what_igor_reads_from_the_environment_is_told() -> None:
    read = set()
    for path in (CHECKOUT / "igor_core").rglob("*.py"):
        read |= set(re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", path.read_text("utf-8")))
    # Between igor's own processes, or every program's matter.
    untold = {"IGOR_RSYNC_FD", "PYTHONPATH", "USER"}
    assert {name for name in read - untold if name not in TEXT} == set()


def test_no_line_is_wider_than_a_help_window() -> None:
    assert [line for line in TEXT.splitlines() if len(line) > WIDTH] == []


def test_neovim_makes_tags_of_it(home: Path) -> None:
    require_peer("nvim 0.12")
    shutil.copytree(CHECKOUT / "doc", home / "doc", ignore=shutil.ignore_patterns("tags"))
    done = subprocess.run(
        [neovim("0.12"), "-u", "NONE", "-es", "+helptags doc", "+q"],
        cwd=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    made = (home / "doc" / "tags").read_text(encoding="utf-8").splitlines()
    assert {line.split("\t")[0] for line in made} == TAGS
