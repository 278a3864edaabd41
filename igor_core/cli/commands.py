"""The one table of commands. Parser, help, completion and the check of the manual read it."""

from collections.abc import Iterator
from typing import NamedTuple


class Option(NamedTuple):
    """One option: where its value goes, how it is spelled, what it does.

    `value` is the word for its value in the help; without one it is a switch. `many` may be
    given again. `completes` says what its value is: "group", "host", "directory" or "file";
    of an operand also "held back" and "process". What follows the `last` one is operands.
    """

    key: str
    flags: tuple[str, ...]
    help: str
    value: str = ""
    many: bool = False
    completes: str = ""
    last: bool = False

    @property
    def name(self) -> str:
        """The spelling that the manual uses: the first."""
        return self.flags[0]


class Operand(NamedTuple):
    """What stands after the options: one word, perhaps none, or (`rest`) all that follows.

    With `many` there may be several words, and options between and after them.
    """

    key: str
    label: str
    optional: bool = False
    rest: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()
    completes: str = ""


class Command(NamedTuple):
    """One command: its words ("docker exec"), what it does, and which function runs it.

    `run` is "module:function" in this package, imported when the command is used. `verb` is
    what the agent is asked for, "" where the agent isn't.
    """

    words: str
    help: str
    run: str
    verb: str = ""
    options: tuple[Option, ...] = ()
    operand: Operand | None = None
    hidden: bool = False


HELP = Option("help", ("-h", "--help"), "Show help and do nothing.")
VERSION = Option("version", ("--version",), "Show igor's version and do nothing.")
DIRECTORY = Option(
    "directory", ("-C",), "Act as if started in DIR.", value="DIR", completes="directory"
)
JSON = Option("json", ("--json",), "Write one JSON object per line, for programs.")
GLOBAL = (DIRECTORY, JSON, HELP, VERSION)

GROUP = Option(
    "group",
    ("-g", "--host-group", "--host_group"),
    "The host group; 'dev' without it.",
    value="GROUP",
    completes="group",
)
HOST = Option(
    "hosts",
    ("--host",),
    "Only this host of the group; may be given again.",
    value="NAME",
    many=True,
    completes="host",
)
WHERE = (GROUP, HOST)
SHARED = (*GLOBAL, *WHERE)

PUSH_OPTIONS = (
    Option("dry_run", ("--dry-run",), "Say what would be sent and deleted; change nothing."),
    Option("force", ("--force",), "Also overwrite and delete files that were changed on the host."),
    Option("allow_deletes", ("--allow-deletes",), "Delete on the host without asking, even much."),
    Option(
        "take_over", ("--take-over",), "Push where another clone pushes to, and take that over."
    ),
)
DIFF_OPTIONS = (
    Option("ours", ("--ours",), "Let the local version win: overwrite the host's."),
    Option("theirs", ("--theirs",), "Let the host's version win: replace the local file."),
    Option("yes", ("--yes", "-y"), "Without PATH: don't ask, settle all that is held back."),
    Option("no_pager", ("--no-pager",), "Write to the terminal itself, not through a pager."),
)
BUILD_OPTIONS = (
    Option("force", ("--force",), "Build even where the image is up to date."),
    Option("no_cache", ("--no-cache",), "Build without the engine's cache."),
)
CLEAN_OPTIONS = (Option("images", ("--images",), "Remove the images too."),)
SETUP_OPTIONS = (
    Option("force", ("--force",), "Replace a container even while programs run in it."),
)
EXEC_OPTIONS = (
    Option("no_push", ("--no-push",), "Run with the files that the hosts have now."),
    Option("setup", ("--setup",), "Where no container runs, set one up first."),
)
REPL_OPTIONS = (
    Option("no_push", ("--no-push",), "Run with the files that the host has now."),
    Option("end", ("--end",), 'End what "repl_persist" keeps there for this command.'),
)
DEBUG_OPTIONS = (
    Option("module", ("-m",), "Debug a module, as python -m does.", value="MODULE", last=True),
    Option(
        "test",
        ("--test",),
        "Debug a test of pytest, FILE::TEST.",
        value="NODE",
        completes="file",
        last=True,
    ),
    Option("ranks", ("--ranks",), "Of several hosts debug these, as 0,2; else 0.", value="RANKS"),
    Option("reattach", ("--reattach",), "Come back to what was left running there."),
    Option("no_push", ("--no-push",), "Debug with the files that the hosts have now."),
)
PRINT_OPTIONS = (Option("print", ("--print",), "Print what it is to hold; write nothing."),)
ATTACH_OPTIONS = (
    Option("force", ("--force",), "Attach by an old gdb too, which can kill the process."),
)
INIT_OPTIONS = (
    Option("user", ("--user",), "Whose containers and images these are.", value="NAME"),
    Option(
        "hosts",
        ("--host",),
        "A host and its folder for the code; may be given again.",
        value="HOST:DIR",
        many=True,
    ),
    Option("group", ("--group",), "Name of the host group; 'dev' without it.", value="NAME"),
    Option("dockerfile", ("--dockerfile",), "The dockerfile.", value="FILE", completes="file"),
    Option("repl_cmd", ("--repl-cmd",), "Command of the REPL.", value="CMD"),
    Option("yes", ("--yes",), "Ask nothing: take what was found."),
)
SHELLS = ("bash", "zsh", "fish")

COMMANDS: dict[str, Command] = {
    command.words: command
    for command in (
        Command(
            "push", "Bring the hosts' files up to date.", "job:run", "push", WHERE + PUSH_OPTIONS
        ),
        Command(
            "diff",
            "Show what a push holds back, and settle it.",
            "diff:run",
            "diff",
            WHERE + DIFF_OPTIONS,
            Operand("paths", "PATH…", optional=True, many=True, completes="held back"),
        ),
        Command(
            "docker build",
            "Build the image where its dockerfile or rebuild files have changed.",
            "job:run",
            "build",
            WHERE + BUILD_OPTIONS,
        ),
        Command(
            "docker clean",
            "Stop and remove the containers of this project, user and group.",
            "job:run",
            "clean",
            WHERE + CLEAN_OPTIONS,
        ),
        Command(
            "docker setup",
            "Push, build if needed, and start the container.",
            "job:run",
            "setup",
            WHERE + SETUP_OPTIONS,
        ),
        Command(
            "docker exec",
            "Run a command in the container, on all hosts at once.",
            "job:run",
            "exec",
            WHERE + EXEC_OPTIONS,
            Operand("command", "CMD…", rest=True, completes="file"),
        ),
        Command(
            "run",
            "Run a file of the project by the container's Python, on all hosts at once.",
            "job:run",
            "run",
            WHERE + EXEC_OPTIONS,
            Operand("program", "FILE [ARGS…]", rest=True, completes="file"),
        ),
        Command(
            "debug",
            "Run a program under debugpy in the container, and say how to attach to it.",
            "debug:run",
            "debug",
            WHERE + DEBUG_OPTIONS,
            Operand("debugged", "FILE|NAME [ARGS…]", optional=True, rest=True, completes="file"),
        ),
        Command(
            "docker repl",
            "Open the REPL, a shell or another program in the container, on this terminal.",
            "repl:run",
            "repl",
            WHERE + REPL_OPTIONS,
            Operand("command", "CMD…", optional=True, rest=True, completes="file"),
        ),
        Command(
            "attach",
            "Attach a debugger to a Python process that runs on a host.",
            "attach:run",
            "attach",
            WHERE + ATTACH_OPTIONS,
            Operand("pid", "PID", optional=True, completes="process"),
        ),
        Command(
            "stack",
            "Show what the Python processes of the hosts do, without stopping any.",
            "job:run",
            "stack",
            WHERE,
            Operand("pid", "PID", optional=True, completes="process"),
        ),
        Command(
            "vimspector",
            "Write .vimspector.json, from which Vimspector knows the hosts.",
            "job:run",
            "vimspector",
            PRINT_OPTIONS,
        ),
        Command(
            "vscode",
            "Write .vscode/launch.json, for VS Code and nvim-dap.",
            "job:run",
            "vscode",
            PRINT_OPTIONS,
        ),
        Command("init", "Write a first config.", "init:run", options=INIT_OPTIONS),
        Command(
            "trust",
            "Let this project's config act by itself.",
            "job:run",
            "trust",
            (Option("revoke", ("--revoke",), "Take the trust back."),),
        ),
        Command(
            "config check",
            "Check a config and name all its mistakes.",
            "config:check",
            operand=Operand("file", "FILE", optional=True, completes="file"),
        ),
        Command("config schema", "Print the JSON schema of the config.", "config:schema"),
        Command("status", "Show what the hosts have.", "job:run", "status", (GROUP,)),
        Command("doctor", "Check each layer on each host.", "job:run", "doctor", WHERE),
        Command("jobs", "List the jobs of the agent.", "agent:jobs", "jobs"),
        Command("cancel", "End a job.", "agent:cancel", "cancel", operand=Operand("job", "ID")),
        Command("agent status", "Show the agent.", "agent:status", "agent-status"),
        Command("agent stop", "End the agent and its jobs.", "agent:stop", "agent-stop"),
        Command(
            "agent log",
            "Print the agent's log.",
            "agent:log",
            options=(Option("follow", ("-f", "--follow"), "Wait for more."),),
        ),
        Command(
            "completion",
            "Print the completion script of a shell.",
            "completion:run",
            operand=Operand("shell", "SHELL", choices=SHELLS),
        ),
        Command(
            "__complete",
            "Print what can stand in the place of the last word.",
            "complete:run",
            operand=Operand("words", "WORDS", optional=True, rest=True),
            hidden=True,
        ),
    )
}


def visible() -> list[Command]:
    """The commands that people type, in the order of the help."""
    return [command for command in COMMANDS.values() if not command.hidden]


def tags() -> Iterator[str]:
    """The help tags that the manual must have: one per command and per option."""
    yield from (f"igor-{option.name}" for option in SHARED)
    for command in visible():
        tag = "igor-" + command.words.replace(" ", "-")
        yield tag
        yield from (f"{tag}-{opt.name}" for opt in command.options if opt not in SHARED)
