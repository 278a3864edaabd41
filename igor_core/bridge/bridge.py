"""The editor's end in Python: commands become requests, and what Lua sends goes to the agent."""

import itertools
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from igor_core.agent.protocol import Kind
from igor_core.bridge.batches import Batches
from igor_core.bridge.link import Link
from igor_core.commands.model import Verb
from igor_core.errors import UsageError


class Nvim(Protocol):
    """What is needed of pynvim's Nvim object."""

    channel_id: int
    loop: Any
    api: Any


class EditorRequest(NamedTuple):
    """A command as Neovim gives it: its words, whether it had a `!`, and what place() said."""

    verb: Verb
    words: list[str]
    bang: bool
    where: dict[str, Any]

    @property
    def line(self) -> str:
        """The words of a command that takes the rest of the line as typed."""
        return "".join(self.words)


#: What is done with the arguments of a request once they are known.
Act = Callable[[str, str, dict[str, Any]], None]


class Bridge:
    """Everything here is asynchronous: no handler keeps the editor waiting."""

    def __init__(self, nvim: Nvim) -> None:
        execute = partial(nvim.api.exec_lua, async_=True)
        self.channel = nvim.channel_id
        self._batches = Batches(nvim.loop, nvim.channel_id, execute)
        self._agent = Link(nvim.loop, self._batches)
        self._held: dict[int, Callable[[], None]] = {}
        self._held_numbers = itertools.count(1)

    def command(self, given: EditorRequest) -> None:
        """Run a command by its handler in the table; Lua shows what is wrong with its words."""
        assert given.verb.editor is not None
        module, _, function = given.verb.editor.run.partition(":")
        try:
            getattr(import_module(f"igor_core.bridge.{module}"), function)(self, given)
        except UsageError as error:
            self.call("igor.job", "refuse", given.verb.name, error.message, error.hint)

    def call(self, module: str, function: str, *args: Any) -> None:
        """Call a Lua function and don't wait for it."""
        self._batches.call(module, function, *args)

    def ask_agent(self, given: EditorRequest, args: dict[str, Any]) -> None:
        """Request the verb, once modified buffers are written where that is asked."""
        self.when_written(given, args, self.request)

    def when_written(self, given: EditorRequest, args: dict[str, Any], act: Act) -> None:
        """`act` now, or when Lua has asked about modified buffers: see igor.command.unwritten."""
        verb, place = given.verb.name, given.where["place"]
        is_held = given.where.get("ask") and not args.get("no_push") and not args.get("reattach")
        if is_held:
            number = next(self._held_numbers)
            self._held[number] = partial(act, verb, place, args)
            self.call("igor.command.unwritten", "ask", self.channel, number, place, verb)
        else:
            act(verb, place, args)

    # What Lua sends; rplugin/ gives each its name.

    def request(self, verb: str, place: str, args: dict[str, Any]) -> None:
        """Ask the agent."""
        self._agent.request(verb, place, args)

    def consumed(self) -> None:
        """Renew the credit of the requests whose output Lua has shown."""
        for request, size in self._batches.consumed().items():
            self._agent.send(Kind.CREDIT, request, size)

    def cancel(self, request: int) -> None:
        self._agent.send(Kind.CANCEL, request)

    def answer(self, request: int, prompt: int, text: str | None) -> None:
        self._agent.send(Kind.ANSWER, request, prompt, text)

    def input(self, stream: int, text: str | None) -> None:
        """Pass typed text on to a program; None ends its input."""
        if text is None:
            self._agent.streams.end(stream)
        else:
            self._agent.streams.write(stream, text.encode("utf-8", "surrogateescape"))

    def decided(self, number: int, runs: bool) -> None:
        """Run a command that waited for modified buffers, or drop it."""
        act = self._held.pop(number)
        if runs:
            act()

    def attach(self, place: str, args: dict[str, Any]) -> None:
        """Attach to the process that was chosen."""
        self._agent.request("attach", place, args)

    def leave(self) -> None:
        self._agent.close()


#: The notifications that Lua sends, by name without "igor:".
FROM_LUA: dict[str, Callable[..., None]] = {
    "consumed": Bridge.consumed,
    "cancel": Bridge.cancel,
    "answer": Bridge.answer,
    "input": Bridge.input,
    "decided": Bridge.decided,
    "attach": Bridge.attach,
    "leave": Bridge.leave,
}
