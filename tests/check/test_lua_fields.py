"""Lua code reads only fields that something defines."""

from pathlib import Path

import pytest

from tests.check.lua_fields import faults

CHECKOUT = Path(__file__).parents[2]

FRONT = """
---@class IgorFrontEnd
---@field title string|nil  the plugin's name
---@field parts IgorPart[]

---@class IgorPart
---@field size integer

local M = { names = { 'dap' } }

---@return IgorFrontEnd|nil front_end
---@return string|nil problem
function M.choose() end

return M
"""
LINK = """
local Link = {}
Link.__index = Link
function Link.open(path)
  local self = setmetatable({ path = path }, Link)
  self.pipe = 1
  return self
end
function Link:close()
  return self.pipe, self.path
end
return Link
"""

# Code, and the fault in it ("" for none).
SAMPLES = [
    ("local x = require('igor.front')\nprint(x.titles)", "igor.front has no field 'titles'"),
    ("print(require('igor.front').titles)", "igor.front has no field 'titles'"),
    ("require('igor.front').chose()", "igor.front has no field 'chose'"),
    ("local chosen = require('igor.front').choose()\nprint(chosen.name)", "IgorFrontEnd has no"),
    ("local chosen, why = require('igor.front').choose()\nprint(chosen.title, why.x)", ""),
    ("---@param front IgorFrontEnd\nlocal function f(front)\n  return front.parts[1].length\nend",
     "IgorPart has no field 'length'"),
    ("---@param f IgorFrontEnd\nlocal function f(f)\n  for _, part in ipairs(f.parts) do\n"
     "    print(part.size, part.weight)\n  end\nend", "IgorPart has no field 'weight'"),
    ("---@param front IgorFront\nlocal function f(front) end", "no class is named IgorFront"),
    ("local on = {}\nfunction on.event(x)\n  return x.y, on.other\nend", ""),
    ("local link = require('igor.link').open('x')\nlink:shut()", ""),
    ("local M = require('igor.link')\nfunction M:shut()\n  return self.pip\nend",
     "igor.link has no field 'pip'"),
    ("local T = {}\nT.__index = T\nfunction T.new()\n  return setmetatable({ a = 1 }, T)\nend\n"
     "function T:get()\n  return self.a, self.b\nend", "has no field 'b'"),
    ("---@type table<string, IgorPart>\nlocal parts = {}\nprint(parts.x, parts['x'].width)",
     "IgorPart has no field 'width'"),
]  # fmt: skip


def test_lua_reads_only_what_something_defines() -> None:
    found = faults(CHECKOUT / "lua")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("code", "said"), SAMPLES, ids=[said or "well" for _, said in SAMPLES])
def test_a_field_that_nothing_defines_is_named(tmp_path: Path, code: str, said: str) -> None:
    for name, text in (("front", FRONT), ("link", LINK), ("sample", code)):
        (tmp_path / "igor").mkdir(exist_ok=True)
        (tmp_path / "igor" / f"{name}.lua").write_text(text)
    found = faults(tmp_path)
    assert len(found) == bool(said)
    assert not said or (found[0].startswith("igor/sample.lua:") and said in found[0])
