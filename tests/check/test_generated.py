"""What is generated from the table of verbs is up to date."""

from igor_core.commands.generate import FILE, source


def test_lua_has_the_table_of_verbs_as_it_is() -> None:
    assert FILE.read_text(encoding="utf-8") == source(), "run `make generate`"
