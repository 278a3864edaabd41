"""The manual and the command line speak of the same things."""

import re
from pathlib import Path

from igor_core.commands.table import BY_WORDS, tags

MANUAL = Path(__file__).parents[2] / "doc" / "igor.txt"
PACKAGE = MANUAL.parents[1] / "igor_core"
#: Sections of the manual whose names begin like a command.
SECTIONS = {"igor-push-on-write", "igor-run-as"}
FIRST_WORDS = {command.split()[0] for command in BY_WORDS}


def manual_tags() -> set[str]:
    return set(re.findall(r"(?<!\S)\*(\S+)\*(?!\S)", MANUAL.read_text(encoding="utf-8")))


def test_every_command_and_option_has_its_tag_in_the_manual() -> None:
    missing = [tag for tag in tags() if tag not in manual_tags()]
    assert not missing


def test_the_manual_has_no_tag_of_a_command_or_option_that_is_gone() -> None:
    about_commands = {
        tag
        for tag in manual_tags()
        if "---" in tag or re.match(rf"igor-({'|'.join(FIRST_WORDS)})(-|$)", tag)
    }
    assert about_commands - SECTIONS <= set(tags())


def test_each_message_under_troubleshooting_is_one_that_igor_shows() -> None:
    section = MANUAL.read_text(encoding="utf-8").partition("*igor-troubleshooting*")[2]
    quoted = re.findall(r'^"(.+)" ~$', section, re.MULTILINE)
    assert len(quoted) > 5
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    parts = [part.strip() for message in quoted for part in message.split("…") if part.strip()]
    assert [part for part in parts if not any(part in source for source in sources)] == []


def test_each_promise_about_security_names_a_test_that_exists() -> None:
    checkout = MANUAL.parents[1]
    rows = [
        line.strip("| ").split(" | ")
        for line in (checkout / "SECURITY.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| promise")
    ]
    assert len(rows) > 10
    for promise, tests in rows:
        named = re.findall(r"`(tests/\S+)`", tests)
        assert named, promise
        missing = [name for name in named if not (checkout / name).exists()]
        assert not missing
