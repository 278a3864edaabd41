"""The shape of a row of the table: a verb, its options, its operand, its command in Neovim."""

from typing import Literal, NamedTuple

#: The Lua modules whose place() asks about modified buffers first.
UNWRITTEN = "igor.command.unwritten"
DEBUG_PLACE = "igor.debug.command"


class Option(NamedTuple):
    """An option: its key in the request, its spellings, its help.

    `value` is the placeholder of its value in the help; without one the option is a switch. With
    `many` it may be repeated. `completes` says what its value is: "group", "host", "directory" or
    "file". All words after a `last` option are operands. `editor` says how Neovim has the option:
    as the terminal does, as a switch, or not at all.
    """

    key: str
    flags: tuple[str, ...]
    help: str
    value: str = ""
    many: bool = False
    completes: str = ""
    last: bool = False
    editor: Literal["same", "switch", "none"] = "same"

    @property
    def name(self) -> str:
        """The first spelling, which the manual uses."""
        return self.flags[0]


class Operand(NamedTuple):
    """The words after the options: one word, or (`rest`) all that follow.

    With `many`, several words, with options between and after them. `completes` is "file",
    "held back" (paths that the last push held back), "process", "job" or "program" (a name in
    the config).
    """

    key: str
    label: str
    optional: bool = False
    rest: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()
    completes: str = ""


class EditorCommand(NamedTuple):
    """The command in Neovim.

    `bang` is the key of the option that `!` stands for, or "own" where the handler gives it a
    meaning. `place` is the Lua module whose place() Neovim evaluates when the command is given.
    `nargs`, `bar` and `range` are those of |:command|. `run` is the bridge's handler,
    "module:function" in igor_core.bridge. A command that Lua does alone has `lua` instead, a
    "module:function" of lua/.
    """

    name: str
    bang: str = ""
    place: str = "igor.command.exit_guard"
    nargs: str = "*"
    bar: bool = True
    range: bool = False
    run: str = "commands:request"
    lua: str = ""


class Verb(NamedTuple):
    """A verb: something a user, an editor or a completion script asks for.

    `words` are those of the terminal ("docker exec"), `terminal` is what runs them there,
    "module:function" in igor_core.cli, and `shows` the function of igor_core.cli.tables that
    renders the outcome's data. `recipe` is the coroutine that the agent runs,
    "module:function", imported when first used; "" where the agent takes no part.
    The other fields are traits:

    of_agent           the recipe is given the agent itself, not the projects' context
    pushes             pushes first, unless told not to
    ends_with_client   is cancelled when its client goes; other verbs finish their work
    is_listed          appears in `igor jobs`
    is_work            keeps the agent busy; others only listen
    runs_program       its exit status is that of the user's program; igor's own failure is 255
    reads_stdin        takes the terminal's standard input
    writes_output      exists for its output: ends when nobody reads its standard output
    lists_locations    source locations in its output are collected
    opens_output       Neovim opens its output when it starts
    debugs             a debugger attaches to what it starts
    """

    name: str
    words: str = ""
    help: str = ""
    options: tuple[Option, ...] = ()
    operand: Operand | None = None
    terminal: str = "job:run"
    shows: str = ""
    editor: EditorCommand | None = None
    recipe: str = ""
    is_hidden: bool = False
    of_agent: bool = False
    pushes: bool = False
    ends_with_client: bool = False
    is_listed: bool = True
    is_work: bool = True
    runs_program: bool = False
    reads_stdin: bool = False
    writes_output: bool = False
    lists_locations: bool = False
    opens_output: bool = False
    debugs: bool = False

    @property
    def acts_on_hosts(self) -> bool:
        """Whether hosts of a group can be chosen."""
        return any(option.key == "hosts" and option.completes == "host" for option in self.options)

    @property
    def asks_unwritten(self) -> bool:
        """Whether Neovim asks about modified buffers first."""
        return self.editor is not None and self.editor.place in (UNWRITTEN, DEBUG_PLACE)

    def editor_options(self) -> tuple[Option, ...]:
        """The options as Neovim has them."""
        return tuple(
            option._replace(value="") if option.editor == "switch" else option
            for option in self.options
            if option.editor != "none"
        )
