"""The remote plugin: gives the table's commands, and what Lua sends, to the bridge.

What the user sees is decided in lua/igor, what is done on the hosts in the agent.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvim

# igor_core lies beside this folder and need not be installed. It must come from this checkout,
# but other plugins share sys.path, so it stays there for these imports only.
_ROOT = str(Path(__file__).resolve().parents[2])
sys.path.insert(0, _ROOT)
import igor_core.bridge.commands  # noqa: E402, F401
from igor_core.bridge.bridge import FROM_LUA, Bridge, EditorRequest  # noqa: E402
from igor_core.commands.editor_spec import remote_options  # noqa: E402
from igor_core.commands.model import Verb  # noqa: E402
from igor_core.commands.table import in_editor  # noqa: E402

sys.path.remove(_ROOT)


class Igor:
    """Its methods are declared below: one for each command, one for each notification of Lua's."""

    def __init__(self, nvim: pynvim.Nvim) -> None:
        self.bridge = Bridge(nvim)


def _handler(verb: Verb) -> Callable[..., None]:
    """The method for a command; Neovim passes its words, its bang if it takes one, and place()."""

    def handler(self: Igor, words: list[str], *more: Any) -> None:
        where = more[-1] if isinstance(more[-1], dict) else {"place": more[-1]}
        self.bridge.command(EditorRequest(verb, words, len(more) > 1 and bool(more[0]), where))

    assert verb.editor is not None
    declare = pynvim.command(verb.editor.name, sync=False)
    declare(handler)
    vars(handler)["_nvim_rpc_spec"]["opts"] = remote_options(verb.editor)
    return handler


def _notified(method: Callable[..., None]) -> Callable[..., None]:
    def handler(self: Igor, *args: Any) -> None:
        method(self.bridge, *args)

    return handler


for _verb in in_editor():
    if _verb.editor is not None and not _verb.editor.lua:
        setattr(Igor, _verb.name, _handler(_verb))
for _name, _method in FROM_LUA.items():
    _export = pynvim.rpc_export(f"igor:{_name}", sync=False)
    setattr(Igor, f"from_lua_{_name}", _export(_notified(_method)))
pynvim.plugin(Igor)  # once it has its methods
