"""setup(): options, keys and the statusline."""

from pathlib import Path

import pytest

from tests.support.nvim.scene import scene


def problems(nvim: Path, home: Path, options: str) -> str:
    """Return what setup() reports about `options`, a Lua table."""
    with scene(nvim, home, "none") as on:
        on.editor.lua(f"require('igor').setup({options})")
        on.editor.wait("a message", on.editor.messages)
        return on.editor.messages()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{ keymap = true }", "unknown option keymap; did you mean 'keymaps'?"),
        (
            "{ output = { heigth = 3 } }",
            "unknown option output.heigth; did you mean 'output.height'?",
        ),
        ("{ output = { height = 'x' } }", "output.height must be a number, not a string"),
        ("{ output = 3 }", "unknown option output"),
        ("{ zzzzzz = 1 }", "unknown option zzzzzz"),
        ("{ keymaps = { psh = 'x' } }", "unknown name keymaps.psh; did you mean 'push'?"),
        ("{ keymaps = { push = 1 } }", "keymaps.push must be keys in a string"),
        ("{ python = {} }", "python must be a string, not a table"),
    ],
)
def test_a_wrong_option_is_named(nvim: Path, home: Path, options: str, said: str) -> None:
    assert f"igor: setup{{}}: {said}" in problems(nvim, home, options)


def test_a_wrong_option_leaves_the_others_in_force(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"nonsense": 1, "output": {"height": 5}}') as on:
        on.start("IgorPush")
        assert on.editor.wait("the split", on.editor.output_window).height == 5


def test_every_option_says_what_it_does(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "none") as on:
        options = on.editor.lua("return require('igor.options').list")
        assert {"python", "keymaps", "output.lines"} <= {option["name"] for option in options}
        for option in options:
            assert option["types"], option["name"]
            assert len(option["desc"]) > 20, option["name"]


def mapped(nvim: Path, home: Path, setup: str) -> set[str]:
    with scene(nvim, home, setup) as on:
        keys = on.editor.nvim.api.get_keymap("n")
        return {key["lhs"] for key in keys if "Igor" in key.get("rhs", "")}


def test_keys_are_off_unless_asked_for(nvim: Path, home: Path) -> None:
    assert mapped(nvim, home / "1", "{}") == set()
    all_of_them = {" ip", " idb", " idc", " ids", " ig", " it", " il", " ir"}
    assert mapped(nvim, home / "2", '{"keymaps": true}') == all_of_them
    assert mapped(nvim, home / "3", '{"keymaps": {"push": "gp"}}') == {"gp"}


def test_the_keys_give_the_commands(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"keymaps": true}') as on:
        for keys, verb in (
            (" ip", "push"),
            (" idb", "build"),
            (" idc", "clean"),
            (" ids", "setup"),
        ):
            on.editor.keys(keys)
            on.agent.request()
            on.editor.wait_output(f"igor {verb}")


def test_the_statusline_function_says_what_runs(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        status = "return require('igor').status()"
        assert on.editor.lua(status) == ""
        first, second = on.start("IgorSetup"), on.start("IgorPush")
        on.editor.wait("two jobs", lambda: on.editor.lua(status) == "igor: 2 jobs")
        on.agent.finish(second)
        on.editor.wait("one job", lambda: on.editor.lua(status) == "igor: setup …")
        on.agent.finish(first)
        on.editor.wait("the end", lambda: on.editor.lua(status) == "igor: push ok")
