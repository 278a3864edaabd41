"""`make generate`: the table of verbs as Lua reads it, lua/igor/command/generated.lua."""

from pathlib import Path
from typing import Any

from igor_core.commands.editor_spec import lua_options, remote_options
from igor_core.commands.model import Verb
from igor_core.commands.table import VERBS, in_editor

FILE = Path(__file__).parents[2] / "lua" / "igor" / "command" / "generated.lua"
HEAD = """\
-- Made by `make generate` from igor_core/commands/table.py. Do not edit.
local M = {}

---@class IgorVerb  a verb; absent fields mean no
---@field command? string  its command in Neovim
---@field options? string[]  the options of that command, by their first spelling
---@field values? table<string, string>  option → what its value is: "group", "host" …
---@field acts_on_hosts? boolean  hosts of a group can be chosen
---@field operand? string  what follows the options, as in igor_core/commands/table.py
---@field completes? string  what the operand is: "process", "held back", "job" …
---@field choices? string[]  all that the operand can be
---@field takes_line? boolean  the rest of the line is the operand
---@field pushes? boolean  pushes first, unless told not to
---@field ends_with_client? boolean  is cancelled when the editor goes
---@field debugs? boolean  a debugger attaches to what it starts

---@class IgorCommandSpec  a command of the remote plugin, as in its manifest
---@field type string
---@field name string
---@field sync boolean
---@field opts table<string, string>

---@class IgorLuaCommand  a command that Lua does alone
---@field name string
---@field module string
---@field function_name string
---@field opts table<string, any>

"""


def source() -> str:
    """The text of the generated file."""
    alone = [_alone(verb) for verb in in_editor() if verb.editor and verb.editor.lua]
    opening = [verb.name for verb in VERBS.values() if verb.opens_output]
    verbs = {verb.name: _traits(verb) for verb in VERBS.values() if verb.recipe or verb.editor}
    return (
        HEAD
        + _assign("table<string, IgorVerb>", "verbs", verbs)
        + _assign("IgorCommandSpec[]", "specs", remote_specs())
        + _assign("IgorLuaCommand[]", "lua_commands", alone)
        + _assign("string[]  the verbs that open their output when they start", "opening", opening)
        + "return M\n"
    )


def remote_specs() -> list[dict[str, Any]]:
    """The commands of the remote plugin, as its manifest has them."""
    return [_remote(verb) for verb in in_editor() if verb.editor and not verb.editor.lua]


def _remote(verb: Verb) -> dict[str, Any]:
    assert verb.editor is not None
    opts = remote_options(verb.editor)
    return {"type": "command", "name": verb.editor.name, "sync": False, "opts": opts}


def _alone(verb: Verb) -> dict[str, Any]:
    assert verb.editor is not None
    module, _, function = verb.editor.lua.partition(":")
    opts = lua_options(verb.editor)
    return {"name": verb.editor.name, "module": module, "function_name": function, "opts": opts}


def _traits(verb: Verb) -> dict[str, Any]:
    """The fields that Lua reads; those that are false or empty are left out."""
    fields = {
        "command": verb.editor.name if verb.editor else "",
        "acts_on_hosts": verb.acts_on_hosts,
        "pushes": verb.pushes,
        "ends_with_client": verb.ends_with_client,
        "debugs": verb.debugs,
    }
    is_set = {name: value for name, value in fields.items() if value}
    return is_set | (_words(verb) if verb.editor else {})


def _words(verb: Verb) -> dict[str, Any]:
    options, operand = verb.editor_options(), verb.operand
    values = {flag: o.completes or "text" for o in options if o.value for flag in o.flags}
    fields: dict[str, Any] = {"options": [option.name for option in options], "values": values}
    if operand is None:
        return fields
    about: dict[str, Any] = {"operand": operand.key, "completes": operand.completes}
    about |= {"choices": list(operand.choices), "takes_line": operand.rest}
    return fields | {name: value for name, value in about.items() if value}


def _assign(kind: str, name: str, value: Any) -> str:
    return f"---@type {kind}\nM.{name} = {_lua(value, '')}\n\n"


def _lua(value: Any, indent: str) -> str:
    """A value as Lua has it, indented as stylua does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quote = '"' if "'" in value else "'"
        return f"{quote}{value}{quote}"
    if not value:
        return "{}"
    inner = indent + "  "
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "{ " + ", ".join(_lua(item, "") for item in value) + " }"
    if isinstance(value, list):
        lines = [f"{inner}{_lua(item, inner)},\n" for item in value]
    else:
        lines = [f"{inner}{_key(key)} = {_lua(item, inner)},\n" for key, item in value.items()]
    return "{\n" + "".join(lines) + indent + "}"


def _key(name: str) -> str:
    return name if name.isidentifier() else f"['{name}']"


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
