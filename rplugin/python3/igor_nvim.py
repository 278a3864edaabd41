"""The bridge between Neovim and igor's agent.

A command becomes one REQUEST frame on the agent's socket; what comes back goes to Lua in batches.
What the user sees is decided in lua/igor, what is done on the hosts in the agent. Everything here
is asynchronous: no handler keeps the editor waiting.
"""

import itertools
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pynvim

# igor_core lies beside this folder and need not be installed. It must come from this checkout,
# but other plugins share sys.path, so it stays there for these imports only.
_ROOT = str(Path(__file__).resolve().parents[2])
sys.path.insert(0, _ROOT)
from igor_core.agent.protocol import Kind  # noqa: E402
from igor_core.bridge.batches import Batches  # noqa: E402
from igor_core.bridge.debug_words import debug_args  # noqa: E402
from igor_core.bridge.link import Link  # noqa: E402
from igor_core.bridge.words import (  # noqa: E402
    arguments,
    command,
    parse,
    split_diff,
    split_exec,
    split_pid,
)
from igor_core.errors import UsageError  # noqa: E402

sys.path.remove(_ROOT)

# Evaluated by Neovim when the command is given: where the project is looked for.
PLACE = "v:lua.require'igor.command.exit_guard'.place()"
# The same for a command that runs what the files say: buffers may have to be written first.
RUN_PLACE = "v:lua.require'igor.command.unwritten'.place()"
# Puts aside what is to be sent. Neovim expands a command twice, the first time it is given.
SEND = "v:lua.require'igor.repl.send'.hold(<lt>line1>, <lt>line2>, '<lt>bang>')"
# The same, with what paths on the command line are relative to.
DIFF_PLACE = "v:lua.require'igor.diff'.place()"
# The same, with what is under the cursor and what was debugged last.
DEBUG_PLACE = "v:lua.require'igor.debug.command'.place()"
# Verbs whose output is read for the places that it names.
WITH_PLACES = ("build", "setup", "exec", "run")
COMPLETE = "customlist,v:lua.require'igor.command.complete'.command"

Handler = TypeVar("Handler", bound=Callable[..., None])


def _command(
    name: str, nargs: str, bang: bool = False, place: str | None = PLACE, bar: bool = True,
    lines: bool = False,
) -> Callable[[Handler], Handler]:  # fmt: skip
    """pynvim's decorator for a command of igor's: always asynchronous, ended by `|` with `bar`.

    With `lines` it takes a range, the current line without one.
    """
    declare: Callable[[Handler], Handler] = pynvim.command(
        name, nargs=nargs, complete=COMPLETE, bang=bang, sync=False, eval=place,
        range="" if lines else None,
    )  # fmt: skip

    def declared(handler: Handler) -> Handler:
        declare(handler)
        if bar:  # Neovim's side of remote plugins knows it, pynvim.command doesn't
            vars(handler)["_nvim_rpc_spec"]["opts"]["bar"] = ""
        return handler

    return declared


def _for_lua(name: str) -> Callable[[Handler], Handler]:
    """pynvim's decorator for what lua/igor sends by rpcnotify."""
    export: Callable[[Handler], Handler] = pynvim.rpc_export(name, sync=False)
    return export


@pynvim.plugin
class Igor:
    """The commands; lua/igor/command/init.lua declares the same ones for `setup()`."""

    def __init__(self, nvim: pynvim.Nvim) -> None:
        execute = partial(nvim.api.exec_lua, async_=True)
        self._batches = Batches(nvim.loop, nvim.channel_id, execute)
        self._agent = Link(nvim.loop, self._batches)
        self._channel = nvim.channel_id
        self._held: dict[int, Callable[[], None]] = {}
        self._held_numbers = itertools.count(1)

    @_command("IgorPush", nargs="*", bang=True)
    def push(self, words: list[str], bang: int, place: str) -> None:
        self._ask("push", place, words, force=bool(bang))

    @_command("IgorDiff", nargs="*", place=DIFF_PLACE)
    def diff(self, words: list[str], where: dict[str, Any]) -> None:
        options, paths = split_diff(words, where)
        wanted = {os.path.realpath(path) for path in paths}
        unwritten = [f for f in where["unwritten"] if not paths or os.path.realpath(f) in wanted]
        if "--theirs" in options and unwritten:
            text = f"{unwritten[0]} has changes that are not written"
            self._refuse("diff", UsageError(text, ":write it first, or :edit!"))
        else:
            self._ask("diff", where["place"], options, paths=paths, contents=True)

    @_command("IgorBuild", nargs="*", bang=True)
    def build(self, words: list[str], bang: int, place: str) -> None:
        self._ask("build", place, words, force=bool(bang))

    @_command("IgorSetup", nargs="*", bang=True)
    def setup(self, words: list[str], bang: int, place: str) -> None:
        self._ask("setup", place, words, force=bool(bang))

    @_command("IgorClean", nargs="*")
    def clean(self, words: list[str], place: str) -> None:
        self._ask("clean", place, words)

    # nargs=1: the rest of the line comes as it was typed, with its blanks and backslashes.
    @_command("IgorExec", nargs="1", place=RUN_PLACE, bar=False)
    def exec(self, line: list[str], where: dict[str, Any]) -> None:
        words, shell = split_exec(line[0])
        self._ask("exec", where["place"], words, is_held=where["ask"], shell=shell)

    @_command("IgorRun", nargs="?", place=RUN_PLACE, bar=False)
    def run(self, line: list[str], where: dict[str, Any]) -> None:
        words, rest = split_exec("".join(line), "run")
        file = where["file"]
        if not file:
            self._refuse("run", UsageError("the window has no file to run", ":edit it first"))
            return
        try:
            args = arguments(rest)
        except UsageError as error:
            self._refuse("run", error)
        else:
            self._ask("run", where["place"], words, is_held=where["ask"], file=file, args=args)

    @_command("IgorRepl", nargs="?", bang=True, place=RUN_PLACE, bar=False)
    def repl(self, line: list[str], bang: int, where: dict[str, Any]) -> None:
        words, shell = split_exec("".join(line), "repl")
        if "--end" in words:
            self._ask("repl", where["place"], words, **command(shell))
        else:
            show = partial(self._show_repl, bool(bang))
            self._ask("repl", where["place"], words, is_held=where["ask"], do=show, shell=shell)

    def _show_repl(self, new: bool, verb: str, place: str, args: dict[str, Any]) -> None:
        self._batches.call("igor.repl", "open", place, args, new)

    @_command("IgorSend", nargs="?", bang=True, place=SEND, lines=True)
    def send(self, words: list[str], lines: list[int], bang: int, held: int) -> None:
        self._batches.call("igor.repl.send", "command", "".join(words), held)

    @_command("IgorDebug", nargs="?", bang=True, place=DEBUG_PLACE, bar=False)
    def debug(self, line: list[str], bang: int, where: dict[str, Any]) -> None:
        try:
            args = debug_args("".join(line), bool(bang), where)
        except UsageError as error:
            self._refuse("debug", error)
        else:
            self._when_written(self._agent.request, "debug", where["place"], args, where["ask"])

    @_command("IgorVimspector", nargs="?")
    def vimspector(self, words: list[str], place: str) -> None:
        self._ask("vimspector", place, words)

    @_command("IgorVscode", nargs="?")
    def vscode(self, words: list[str], place: str) -> None:
        self._ask("vscode", place, words)

    @_command("IgorInput", nargs="?", bang=True, place=None, bar=False)
    def input(self, line: list[str], bang: int) -> None:
        self._batches.call("igor.job.input", "command", "".join(line), bool(bang))

    @_command("IgorAttach", nargs="*")
    def attach(self, words: list[str], place: str) -> None:
        words, pid = split_pid(words)
        self._ask("attach", place, words, pid=pid, do=None if pid else self._choose_process)

    @_command("IgorStack", nargs="*")
    def stack(self, words: list[str], place: str) -> None:
        words, pid = split_pid(words)
        self._ask("stack", place, words, pid=pid)

    @_command("IgorCancel", nargs="?", bang=True, place=None)
    def cancel(self, words: list[str], bang: int) -> None:
        self._batches.call("igor.job.list", "cancel", "".join(words), bool(bang))

    @_command("IgorOutput", nargs="?", place=None)
    def output(self, words: list[str]) -> None:
        self._batches.call("igor.job.list", "show", "".join(words))

    @_for_lua("igor:consumed")
    def consumed(self) -> None:
        """Lua has shown the last batch: its producers may go on."""
        for request, size in self._batches.consumed().items():
            self._agent.send(Kind.CREDIT, request, size)

    @_for_lua("igor:cancel")
    def cancel_request(self, request: int) -> None:
        self._agent.send(Kind.CANCEL, request)

    @_for_lua("igor:answer")
    def answer(self, request: int, prompt: int, text: str | None) -> None:
        self._agent.send(Kind.ANSWER, request, prompt, text)

    @_for_lua("igor:input")
    def send_input(self, stream: int, text: str | None) -> None:
        """What was typed to a program, None at the end of its input."""
        if text is None:
            self._agent.streams.end(stream)
        else:
            self._agent.streams.write(stream, text.encode("utf-8", "surrogateescape"))

    @_for_lua("igor:decided")
    def decided(self, number: int, runs: bool) -> None:
        """What to do with a command that waited for buffers to be written, or not to be."""
        go = self._held.pop(number)
        if runs:
            go()

    @_for_lua("igor:attach")
    def attach_to(self, place: str, args: dict[str, Any]) -> None:
        """The process that was chosen."""
        self._agent.request("attach", place, args)

    @_for_lua("igor:leave")
    def leave(self) -> None:
        self._agent.close()

    def _choose_process(self, _verb: str, place: str, args: dict[str, Any]) -> None:
        self._batches.call("igor.debug.attach", "choose", self._channel, place, args)

    def _ask(
        self, verb: str, place: str, words: list[str], is_held: bool = False,
        do: Callable[[str, str, dict[str, Any]], None] | None = None, **more: Any,
    ) -> None:  # fmt: skip
        """Read the words, and `do` what they say: without it, ask the agent."""
        do = do or self._agent.request
        more["places"] = verb in WITH_PLACES
        try:
            args = parse(verb, words) | {key: value for key, value in more.items() if value}
        except UsageError as error:
            self._refuse(verb, error)
            return
        self._when_written(do, verb, place, args, is_held)

    def _when_written(
        self, do: Callable[[str, str, dict[str, Any]], None], verb: str, place: str,
        args: dict[str, Any], is_held: bool,
    ) -> None:  # fmt: skip
        if is_held and "no_push" not in args and "reattach" not in args:
            number = next(self._held_numbers)
            self._held[number] = partial(do, verb, place, args)
            self._batches.call("igor.command.unwritten", "ask", self._channel, number, place, verb)
        else:
            do(verb, place, args)

    def _refuse(self, verb: str, error: UsageError) -> None:
        self._batches.call("igor.job", "refuse", verb, error.message, error.hint)
