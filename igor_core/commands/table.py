"""The table of verbs: one row each. A new verb is a row here and its recipe."""

from collections.abc import Iterator

from igor_core.commands import options
from igor_core.commands.model import DEBUG_PLACE, UNWRITTEN, EditorCommand, Operand, Verb
from igor_core.commands.options import GROUP, SHARED, WHERE

COMMAND = Operand("command", "CMD…", rest=True, completes="file")
PID = Operand("pid", "PID", optional=True, completes="process")
JOB = Operand("job", "ID", completes="job")
SHELLS = ("bash", "zsh", "fish")

_ROWS = (
    Verb(
        "push",
        words="push",
        help="Update the files on the hosts.",
        options=WHERE + options.PUSH,
        editor=EditorCommand("IgorPush", bang="overwrite"),
        recipe="igor_core.verbs.steps.pusher:push",
        pushes=True,
        opens_output=True,
    ),
    Verb(
        "diff",
        words="diff",
        help="Show what a push holds back, and settle it.",
        options=WHERE + options.DIFF,
        operand=Operand("paths", "PATH…", optional=True, many=True, completes="held back"),
        terminal="diff:run",
        editor=EditorCommand("IgorDiff", place="igor.diff", run="commands:diff"),
        recipe="igor_core.verbs.diff:diff",
        ends_with_client=True,
        writes_output=True,
    ),
    Verb(
        "build",
        words="docker build",
        help="Build the image if its dockerfile or rebuild files have changed.",
        options=WHERE + options.BUILD,
        editor=EditorCommand("IgorBuild", bang="rebuild"),
        recipe="igor_core.verbs.build:build",
        pushes=True,
        lists_locations=True,
        opens_output=True,
    ),
    Verb(
        "clean",
        words="docker clean",
        help="Stop and remove the containers of this project, user and group.",
        options=WHERE + options.CLEAN,
        editor=EditorCommand("IgorClean"),
        recipe="igor_core.verbs.clean:clean",
        opens_output=True,
    ),
    Verb(
        "setup",
        words="docker setup",
        help="Push, build the image if needed, and start the container.",
        options=WHERE + options.SETUP,
        editor=EditorCommand("IgorSetup", bang="replace"),
        recipe="igor_core.verbs.setup:setup",
        pushes=True,
        lists_locations=True,
        opens_output=True,
    ),
    Verb(
        "exec",
        words="docker exec",
        help="Run a command in the container, on all hosts at once.",
        options=WHERE + options.RUN,
        operand=COMMAND,
        # nargs=1: the line arrives as typed, with its blanks and backslashes.
        editor=EditorCommand("IgorExec", place=UNWRITTEN, nargs="1", bar=False),
        recipe="igor_core.verbs.exec:exec",
        pushes=True,
        ends_with_client=True,
        runs_program=True,
        reads_stdin=True,
        writes_output=True,
        lists_locations=True,
        opens_output=True,
    ),
    Verb(
        "run",
        words="run",
        help="Run a file of the project with the container's Python, on all hosts at once.",
        options=WHERE + options.RUN,
        operand=Operand("program", "FILE [ARGS…]", rest=True, completes="file"),
        editor=EditorCommand("IgorRun", place=UNWRITTEN, nargs="?", bar=False),
        recipe="igor_core.verbs.run:run",
        pushes=True,
        ends_with_client=True,
        runs_program=True,
        reads_stdin=True,
        writes_output=True,
        lists_locations=True,
        opens_output=True,
    ),
    Verb(
        "debug",
        words="debug",
        help="Run a program under debugpy in the container, and show how to attach to it.",
        options=WHERE + options.DEBUG,
        operand=Operand(
            "debugged", "FILE|NAME [ARGS…]", optional=True, rest=True, completes="file"
        ),
        terminal="debug:run",
        editor=EditorCommand(
            "IgorDebug",
            bang="own",
            place=DEBUG_PLACE,
            nargs="?",
            bar=False,
            run="commands:debug",
        ),
        recipe="igor_core.verbs.debug:debug",
        pushes=True,
        ends_with_client=True,
        runs_program=True,
        writes_output=True,
        lists_locations=True,
        opens_output=True,
        debugs=True,
    ),
    Verb(
        "repl",
        words="docker repl",
        help="Open the REPL, a shell or another program of the container in this terminal.",
        options=WHERE + options.REPL,
        operand=COMMAND._replace(optional=True),
        terminal="repl:run",
        editor=EditorCommand(
            "IgorRepl", bang="own", place=UNWRITTEN, nargs="?", bar=False, run="commands:repl"
        ),
        recipe="igor_core.verbs.repl:repl",
        ends_with_client=True,
        runs_program=True,
        writes_output=True,
        pushes=True,
    ),
    Verb(
        "attach",
        words="attach",
        help="Attach a debugger to a Python process that runs on a host.",
        options=WHERE + options.ATTACH,
        operand=PID,
        terminal="attach:run",
        editor=EditorCommand("IgorAttach", run="commands:attach"),
        recipe="igor_core.verbs.attach:attach",
        ends_with_client=True,
        debugs=True,
    ),
    Verb(
        "stack",
        words="stack",
        help="Show the stacks of the hosts' Python processes without stopping any.",
        options=WHERE,
        operand=PID,
        editor=EditorCommand("IgorStack"),
        recipe="igor_core.verbs.stack:stack",
        ends_with_client=True,
        writes_output=True,
        opens_output=True,
    ),
    Verb(
        "gpus",
        words="gpus",
        help="Show the hosts' GPUs: memory, load, and whose processes use them.",
        options=WHERE,
        editor=EditorCommand("IgorGpus"),
        recipe="igor_core.verbs.gpus:gpus",
        ends_with_client=True,
        writes_output=True,
        opens_output=True,
    ),
    Verb(
        "vimspector",
        words="vimspector",
        help="Write .vimspector.json, which tells Vimspector about the hosts.",
        options=options.PRINT,
        editor=EditorCommand("IgorVimspector", nargs="?"),
        recipe="igor_core.verbs.debug.tell_editors:vimspector",
    ),
    Verb(
        "vscode",
        words="vscode",
        help="Write .vscode/launch.json, for VS Code and nvim-dap.",
        options=options.PRINT,
        editor=EditorCommand("IgorVscode", nargs="?"),
        recipe="igor_core.verbs.debug.tell_editors:vscode",
    ),
    Verb(
        "init",
        words="init",
        help="Write a first config.",
        options=options.INIT,
        terminal="init:run",
    ),
    Verb(
        "trust",
        words="trust",
        help="Let this project's config act without a typed command.",
        options=options.TRUST,
        recipe="igor_core.verbs.trust:trust",
    ),
    Verb(
        "config-check",
        words="config check",
        help="Check a config and name all its mistakes.",
        operand=Operand("file", "FILE", optional=True, completes="file"),
        terminal="config:check",
    ),
    Verb(
        "config-schema",
        words="config schema",
        help="Print the JSON schema of the config.",
        terminal="config:schema",
    ),
    Verb(
        "status",
        words="status",
        help="Show the state of each host's files.",
        options=(GROUP,),
        shows="status",
        recipe="igor_core.verbs.status:status",
    ),
    Verb(
        "doctor",
        words="doctor",
        help="Check the local machine, the connection and each host.",
        options=WHERE,
        shows="doctor",
        recipe="igor_core.verbs.doctor:doctor",
    ),
    Verb(
        "jobs",
        words="jobs",
        help="List the agent's jobs.",
        terminal="agent:jobs",
        shows="jobs",
        recipe="igor_core.agent.own_verbs:jobs",
        of_agent=True,
        is_listed=False,
    ),
    Verb(
        "cancel",
        words="cancel",
        help="Cancel a job.",
        operand=JOB,
        terminal="agent:cancel",
        shows="cancelled",
        editor=EditorCommand("IgorCancel", bang="own", nargs="?", lua="igor.job.list:cancel"),
        recipe="igor_core.agent.own_verbs:cancel",
        of_agent=True,
    ),
    Verb(
        "agent-status",
        words="agent status",
        help="Show the agent's state.",
        terminal="agent:status",
        shows="agent_status",
        recipe="igor_core.agent.own_verbs:status",
        of_agent=True,
    ),
    Verb(
        "agent-stop",
        words="agent stop",
        help="Stop the agent and its jobs.",
        terminal="agent:stop",
        recipe="igor_core.agent.own_verbs:stop",
        of_agent=True,
    ),
    Verb(
        "agent-log",
        words="agent log",
        help="Print the agent's log.",
        options=options.FOLLOW,
        terminal="agent:log",
    ),
    Verb(
        "completion",
        words="completion",
        help="Print the completion script of a shell.",
        operand=Operand("shell", "SHELL", choices=SHELLS),
        terminal="completion:run",
    ),
    Verb(
        "complete",
        words="__complete",
        help="Print the candidates for the last word.",
        operand=Operand("words", "WORDS", optional=True, rest=True),
        terminal="complete:run",
        is_hidden=True,
    ),
    # Asked for by editors and completion scripts.
    Verb(
        "processes",
        recipe="igor_core.verbs.processes:processes",
        ends_with_client=True,
        is_listed=False,
    ),
    Verb("locate", recipe="igor_core.verbs.locate:locate", is_listed=False),
    Verb("read", recipe="igor_core.verbs.read:read", is_listed=False),
    Verb(
        "watch",
        recipe="igor_core.verbs.watch:watch",
        ends_with_client=True,
        is_listed=False,
        is_work=False,
    ),
    # Neovim's alone.
    Verb(
        "send",
        operand=Operand("what", "WHAT", optional=True, choices=("cell", "file", "line")),
        editor=EditorCommand(
            "IgorSend", bang="own", nargs="?", range=True, lua="igor.repl.send:command"
        ),
    ),
    Verb(
        "input",
        editor=EditorCommand(
            "IgorInput", bang="own", nargs="?", bar=False, lua="igor.job.input:command"
        ),
    ),
    Verb(
        "output",
        operand=JOB._replace(optional=True),
        editor=EditorCommand("IgorOutput", nargs="?", lua="igor.job.list:show"),
    ),
)

#: By name, as the agent knows them.
VERBS: dict[str, Verb] = {verb.name: verb for verb in _ROWS}
#: By the words that run them in a terminal.
BY_WORDS: dict[str, Verb] = {verb.words: verb for verb in _ROWS if verb.words}


def verb_named(name: str) -> Verb:
    """The verb of that name; one without any trait where the table has none."""
    return VERBS.get(name) or Verb(name)


def visible() -> list[Verb]:
    """The verbs that people type in a terminal, in the order of the help."""
    return [verb for verb in BY_WORDS.values() if not verb.is_hidden]


def in_editor() -> list[Verb]:
    """The verbs with a command in Neovim, by that command's name."""
    found = ((verb.editor.name, verb) for verb in VERBS.values() if verb.editor)
    return [verb for _name, verb in sorted(found)]


def tags() -> Iterator[str]:
    """The help tags that the manual must have for the terminal: one per command and option."""
    yield from (f"igor-{option.name}" for option in SHARED)
    for verb in visible():
        tag = "igor-" + verb.words.replace(" ", "-")
        yield tag
        yield from (f"{tag}-{opt.name}" for opt in verb.options if opt not in SHARED)
