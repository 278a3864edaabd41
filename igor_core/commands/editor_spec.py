"""How Neovim is told about a command."""

from typing import Any

from igor_core.commands.model import EditorCommand

COMPLETE = "customlist,v:lua.require'igor.command.complete'.command"


def remote_options(command: EditorCommand) -> dict[str, str]:
    """Return the options of a remote-plugin command for its manifest; a switch is ''."""
    switches = ("bang", bool(command.bang)), ("bar", command.bar), ("range", command.range)
    return {
        "nargs": command.nargs,
        "complete": COMPLETE,
        "eval": f"v:lua.require'{command.place}'.place()",
        **{name: "" for name, is_on in switches if is_on},
    }


def lua_options(command: EditorCommand) -> dict[str, Any]:
    """Return the options of a command that Lua does alone, for nvim_create_user_command()."""
    switches = ("bang", bool(command.bang)), ("bar", command.bar), ("range", command.range)
    return {
        "nargs": command.nargs,
        "complete": COMPLETE,
        **{name: True for name, is_on in switches if is_on},
    }
