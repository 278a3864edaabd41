"""The bridge between Neovim and igor's agent.

A command becomes one REQUEST frame on the agent's socket; what comes back goes to Lua in batches.
What the user sees is decided in lua/igor, what is done on the hosts in the agent. Everything here
is asynchronous: no handler keeps the editor waiting.
"""

import asyncio
import itertools
import os
import re
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pynvim

# igor_core lies beside this folder and need not be installed. It must come from this checkout,
# but other plugins share sys.path, so it stays there for these imports only.
_ROOT = str(Path(__file__).resolve().parents[2])
sys.path.insert(0, _ROOT)
from igor_core.agent.client import connect  # noqa: E402
from igor_core.agent.protocol import Decoder, Frame, Kind, ProtocolError, encode  # noqa: E402
from igor_core.errors import AgentError, IgorError, UsageError  # noqa: E402

sys.path.remove(_ROOT)

BATCH_SECONDS = 0.03
# Neovim draws nothing while it takes a batch in, so a batch holds no more output than this.
BATCH_BYTES = 1 << 16

FLAGS = {
    "push": ("--dry-run", "--force", "--allow-deletes", "--take-over"),
    "diff": ("--ours", "--theirs", "--yes"),
    "build": ("--force", "--no-cache"),
    "setup": ("--force",),
    "clean": ("--images",),
    "exec": ("--no-push", "--setup"),
}

# Evaluated by Neovim when the command is given: where the project is looked for.
PLACE = "v:lua.require'igor.leave'.place()"
# The same for a command that runs what the files say: buffers may have to be written first.
RUN_PLACE = "v:lua.require'igor.unwritten'.place()"
# The same, with what paths on the command line are relative to.
DIFF_PLACE = "v:lua.require'igor.diff'.place()"
COMPLETE = "customlist,v:lua.require'igor.complete'.command"

Handler = TypeVar("Handler", bound=Callable[..., None])


def _command(
    name: str, nargs: str, bang: bool = False, place: str | None = PLACE, bar: bool = True
) -> Callable[[Handler], Handler]:
    """pynvim's decorator for a command of igor's: always asynchronous, ended by `|` with `bar`."""
    command: Callable[[Handler], Handler] = pynvim.command(
        name, nargs=nargs, complete=COMPLETE, bang=bang, sync=False, eval=place
    )

    def declared(handler: Handler) -> Handler:
        command(handler)
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
    """The commands; lua/igor/commands.lua declares the same ones for `setup()`."""

    def __init__(self, nvim: pynvim.Nvim) -> None:
        self._batches = _Batches(nvim)
        self._agent = _Agent(nvim.loop, self._batches)
        self._channel = nvim.channel_id
        self._held: dict[int, tuple[str, str, dict[str, Any]]] = {}
        self._held_numbers = itertools.count(1)

    @_command("IgorPush", nargs="*", bang=True)
    def push(self, words: list[str], bang: int, place: str) -> None:
        self._ask("push", place, words, force=bool(bang))

    @_command("IgorDiff", nargs="*", place=DIFF_PLACE)
    def diff(self, words: list[str], where: dict[str, Any]) -> None:
        options, paths = _split_diff(words, where)
        wanted = {os.path.realpath(path) for path in paths}
        unwritten = [f for f in where["unwritten"] if not paths or os.path.realpath(f) in wanted]
        if "--theirs" in options and unwritten:
            text = f"{unwritten[0]} has changes that are not written"
            self._batches.call("igor.job", "refuse", "diff", text, ":write it first, or :edit!")
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
        words, shell = _split_exec(line[0])
        self._ask("exec", where["place"], words, is_held=where["ask"], shell=shell)

    @_command("IgorCancel", nargs="?", bang=True, place=None)
    def cancel(self, words: list[str], bang: int) -> None:
        self._batches.call("igor.jobs", "cancel", "".join(words), bool(bang))

    @_command("IgorOutput", nargs="?", place=None)
    def output(self, words: list[str]) -> None:
        self._batches.call("igor.jobs", "show", "".join(words))

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

    @_for_lua("igor:decided")
    def decided(self, number: int, runs: bool) -> None:
        """What to do with a command that waited for buffers to be written, or not to be."""
        verb, place, args = self._held.pop(number)
        if runs:
            self._agent.request(verb, place, args)

    @_for_lua("igor:leave")
    def leave(self) -> None:
        self._agent.close()

    def _ask(
        self, verb: str, place: str, words: list[str], is_held: bool = False, **more: Any
    ) -> None:
        try:
            args = _parse(verb, words) | {key: value for key, value in more.items() if value}
        except UsageError as error:
            self._batches.call("igor.job", "refuse", verb, error.message, error.hint)
            return
        if is_held and "no_push" not in args:
            number = next(self._held_numbers)
            self._held[number] = (verb, place, args)
            self._batches.call("igor.unwritten", "ask", self._channel, number, place)
        else:
            self._agent.request(verb, place, args)


def _parse(verb: str, words: list[str]) -> dict[str, Any]:
    """The words after a command as a request's args: `[GROUP] [--host NAME]… [--flag]…`."""
    args: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--host", "-g", "--host-group", "--host_group"):
            value = value if equals else next(rest, "")
            if not value:
                raise UsageError(f"{name} needs a name after it")
            if name == "--host":
                args.setdefault("hosts", []).append(value)
            else:
                args["group"] = value
        elif word in FLAGS[verb]:
            args[word[2:].replace("-", "_")] = True
        elif word.startswith("-"):
            raise UsageError(f"{word} is unknown here", f"known: {', '.join(FLAGS[verb])}, --host")
        elif "group" in args:
            raise UsageError(f"one host group at a time: {args['group']} or {word}")
        else:
            args["group"] = word
    return args


_EXEC_OPTION = re.compile(
    r"\s*((?:-g|--host(?:[-_]group)?)(?:\s+|=)\S+|--(?:no-push|setup)(?=\s)|--(?=\s))"
)


def _split_exec(line: str) -> tuple[list[str], str]:
    """igor's own options in front, up to `--` or the first other word, and the shell line."""
    words: list[str] = []
    while (option := _EXEC_OPTION.match(line)) is not None:
        line = line[option.end() :]
        if option[1] == "--":
            break
        words += option[1].split(None, 1)
    return words, line.strip()


def _split_diff(words: list[str], where: dict[str, Any]) -> tuple[list[str], list[str]]:
    """igor's own options, and the paths, absolute: `%` is the file in the window.

    A path is meant from the working directory, or from the project as igor names it.
    """
    options: list[str] = []
    paths: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            paths += rest
        elif word in ("--host", "-g", "--host-group", "--host_group"):
            options += [word, *itertools.islice(rest, 1)]
        else:
            (options if word.startswith("-") else paths).append(word)
    return options, [_absolute(path, where) for path in paths]


def _absolute(path: str, where: dict[str, Any]) -> str:
    if path == "%":
        return str(where["file"])
    here = Path(where["cwd"], path)
    return str(here if here.exists() or here.is_symlink() else Path(where["place"], path))


class _Batches:
    """Events on their way to Lua: the first at once, then every 30 ms, one batch at a time.

    The next batch waits until Lua has taken the last one. What waits here is so bounded by the
    credit that the agent got, and that credit is renewed only for what was shown.
    """

    def __init__(self, nvim: pynvim.Nvim) -> None:
        self._nvim = nvim
        self._waiting: deque[tuple[int, dict[str, Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._on_the_way: Counter[int] | None = None
        self._last = -BATCH_SECONDS

    def call(self, module: str, function: str, *args: Any) -> None:
        """Call a Lua function and don't wait for it."""
        code = f"require('{module}').{function}(...)"
        self._nvim.api.exec_lua(code, args, async_=True)

    def add(self, request: int, event: dict[str, Any]) -> None:
        self._waiting.append((request, event))
        self._schedule()

    def consumed(self) -> Counter[int]:
        """The batch on the way was shown: the bytes of output in it, by request."""
        sizes, self._on_the_way = self._on_the_way, None
        self._schedule()
        return sizes or Counter()

    def _schedule(self) -> None:
        if self._timer is None and self._on_the_way is None and self._waiting:
            loop = self._nvim.loop
            self._timer = loop.call_at(max(loop.time(), self._last + BATCH_SECONDS), self._send)

    def _send(self) -> None:
        self._timer = None
        batch: list[tuple[int, dict[str, Any]]] = []
        sizes: Counter[int] = Counter()
        while self._waiting and sizes.total() < BATCH_BYTES:
            request, event = self._waiting.popleft()
            batch.append((request, event))
            if event["type"] == "output":
                sizes[request] += len(event["data"])
        self._on_the_way = sizes
        self._last = self._nvim.loop.time()
        self.call("igor.job", "receive", self._nvim.channel_id, batch)


class _Agent(asyncio.Protocol):
    """The editor's one connection to the agent, opened by the first request and when it is lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop, batches: _Batches) -> None:
        self._loop = loop
        self._batches = batches
        self._requests = itertools.count(1, 2)
        self._running: set[int] = set()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] | None = None  # a list while the connection is being opened
        self._attaching: asyncio.Task[Any] | None = None

    def request(self, verb: str, root: str, args: dict[str, Any]) -> None:
        request = next(self._requests)
        self._running.add(request)
        started = {"type": "started", "verb": verb, "root": root, "args": args}
        self._batches.add(request, started)
        if self._transport is None and self._unsent is None:
            self._open()
        self.send(Kind.REQUEST, request, verb, root, args)

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        """Send a frame, or keep it until the connection is there; without one it is void."""
        frame = encode(kind, ident, *fields)
        if self._unsent is not None:
            self._unsent.append(frame)
        elif self._transport is not None:
            self._transport.write(frame)

    def close(self) -> None:
        """The editor leaves: what it started goes on, or ends, as the agent's rules say."""
        self._running.clear()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._decoder = Decoder()
        self._transport = transport
        unsent, self._unsent = self._unsent or [], None
        transport.write(b"".join(unsent))

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._decoder.feed(data):
                self._received(frame)
        except ProtocolError as error:
            self._lost(AgentError(f"the agent can't be understood: {error}", "igor agent stop"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(AgentError("the agent has gone away", "its last words: igor agent log"))

    def _open(self) -> None:
        """Connect in a thread of its own: starting an agent takes its time.

        A daemon, unlike an executor's: the editor may leave before the agent has answered.
        """
        self._unsent = []
        threading.Thread(target=self._connect, name="igor: connect", daemon=True).start()

    def _connect(self) -> None:
        try:
            connection = connect("nvim", answers=True).detach()
        except IgorError as error:
            self._loop.call_soon_threadsafe(self._lost, error)
        except Exception as error:  # a bug must not leave the jobs waiting for ever
            text = f"connecting to the agent failed: {type(error).__name__}: {error}"
            self._loop.call_soon_threadsafe(self._lost, AgentError(text, "this is a bug of igor"))
        else:
            self._loop.call_soon_threadsafe(self._attach, connection)

    def _attach(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        attaching = self._loop.create_unix_connection(lambda: self, sock=connection)
        self._attaching = self._loop.create_task(attaching)

    def _received(self, frame: Frame) -> None:
        kind, request = frame[:2]
        if kind is Kind.EVENT:
            self._batches.add(request, frame[2])
        elif kind is Kind.FINISHED:
            self._running.discard(request)
            self._batches.add(request, {**frame[2], "type": "finished"})

    def _lost(self, error: IgorError) -> None:
        """No connection (any more): the jobs that it carried are told so, once."""
        if self._transport is not None:
            self._transport.abort()
        self._transport = self._unsent = None
        for request in sorted(self._running):
            lost = {"type": "lost", "error": error.message, "hint": error.hint}
            self._batches.add(request, lost)
        self._running.clear()
