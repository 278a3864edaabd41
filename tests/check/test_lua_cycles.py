"""No module below lua/ requires, now or later, one that requires it."""

from pathlib import Path

from tests.check.lua_cycles import circles, requires, steps

LUA = Path(__file__).parents[2] / "lua"
#: Those that are still to be opened; nothing is ever added here.
KNOWN: list[set[str]] = [
    {
        "igor",
        "igor.client",
        "igor.command.keymaps",
        "igor.command.register",
        "igor.command.unwritten",
        "igor.debug",
        "igor.debug.command",
        "igor.debug.dap",
        "igor.debug.dap_hook",
        "igor.debug.file_window",
        "igor.debug.vimspector",
        "igor.diff",
        "igor.job",
        "igor.job.finish",
        "igor.places",
        "igor.places.open_location",
        "igor.places.openable",
        "igor.places.quickfix",
        "igor.places.remote_file",
        "igor.repl",
        "igor.repl.send",
        "igor.sync",
        "igor.sync.projects",
        "igor.sync.trust",
    },
]


def test_nothing_requires_in_a_circle() -> None:
    found = requires(LUA)
    assert {"igor", "igor.health"} <= found.keys()
    new = [circle for circle in circles(found) if circle not in KNOWN]
    assert not new, "\n".join(line for circle in new for line in steps(found, circle))


def test_no_circle_is_listed_that_is_open() -> None:
    assert [circle for circle in KNOWN if circle not in circles(requires(LUA))] == []


def test_a_circle_is_found_whichever_way_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "igor"
    (folder / "b").mkdir(parents=True)
    (folder / "a.lua").write_text("local b = require('igor.b')\n")
    (folder / "b/init.lua").write_text("-- require('igor.d')\nlocal c = require('igor.c')\n")
    (folder / "c.lua").write_text("function f()\n  return require('igor.a').x\nend\n")
    (folder / "d.lua").write_text("return require('igor.c')\n")
    assert circles(requires(tmp_path)) == [{"igor.a", "igor.b", "igor.c"}]
