"""No module below lua/ requires, now or later, one that requires it."""

from pathlib import Path

from tests.check.lua_cycles import circles, requires, steps

LUA = Path(__file__).parents[2] / "lua"


def test_nothing_requires_in_a_circle() -> None:
    found = requires(LUA)
    assert {"igor", "igor.health"} <= found.keys()
    lines = [line for circle in circles(found) for line in steps(found, circle)]
    assert not lines, "\n".join(lines)


def test_a_circle_is_found_whichever_way_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "igor"
    (folder / "b").mkdir(parents=True)
    (folder / "a.lua").write_text("local b = require('igor.b')\n")
    (folder / "b/init.lua").write_text("-- require('igor.d')\nlocal c = require('igor.c')\n")
    (folder / "c.lua").write_text("function f()\n  return require('igor.a').x\nend\n")
    (folder / "d.lua").write_text("return require('igor.c')\n")
    assert circles(requires(tmp_path)) == [{"igor.a", "igor.b", "igor.c"}]
