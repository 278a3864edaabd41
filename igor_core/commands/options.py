"""The options of the verbs."""

from igor_core.commands.model import Option

HELP = Option("help", ("-h", "--help"), "Show help and exit.")
VERSION = Option("version", ("--version",), "Show igor's version and exit.")
DIRECTORY = Option(
    "directory", ("-C",), "Act as if started in DIR.", value="DIR", completes="directory"
)
JSON = Option("json", ("--json",), "Write one JSON object per line to stdout.")
GLOBAL = (DIRECTORY, JSON, HELP, VERSION)

GROUP = Option(
    "group",
    ("-g", "--host-group", "--host_group"),
    "Host group (default: dev).",
    value="GROUP",
    completes="group",
)
HOST = Option(
    "hosts",
    ("--host",),
    "Only this host of the group; may be repeated.",
    value="NAME",
    many=True,
    completes="host",
)
WHERE = (GROUP, HOST)
SHARED = (*GLOBAL, *WHERE)

PUSH = (
    Option("dry_run", ("--dry-run",), "Show what would be sent and deleted; change nothing."),
    Option("overwrite", ("--force",), "Also overwrite and delete files that changed on the host."),
    Option("allow_deletes", ("--allow-deletes",), "Delete any number of files without asking."),
    Option("take_over", ("--take-over",), "Take over a target that another clone owns."),
)
DIFF = (
    Option("ours", ("--ours",), "Use the local version: overwrite the host's."),
    Option("theirs", ("--theirs",), "Use the host's version: replace the local file."),
    Option("yes", ("--yes", "-y"), "Without PATH: settle all held-back files without asking."),
    Option("no_pager", ("--no-pager",), "Do not use a pager.", editor="none"),
)
BUILD = (
    Option("rebuild", ("--force",), "Build even if the image is up to date."),
    Option("no_cache", ("--no-cache",), "Build without the engine's cache."),
)
CLEAN = (Option("images", ("--images",), "Also remove the images."),)
SETUP = (Option("replace", ("--force",), "Replace the container even if programs run in it."),)
NO_PUSH = Option("no_push", ("--no-push",), "Do not push first; use the files on the host.")
RUN = (NO_PUSH, Option("setup", ("--setup",), "Set up a container first if none is running."))
REPL = (
    NO_PUSH,
    Option("end", ("--end",), 'End the session that "repl_persist" keeps for this command.'),
)
DEBUG = (
    Option("module", ("-m",), "Debug a module, as python -m does.", value="MODULE", last=True),
    Option(
        "test",
        ("--test",),
        "Debug a pytest test, as FILE::TEST.",
        value="NODE",
        completes="file",
        last=True,
        editor="switch",
    ),
    Option("ranks", ("--ranks",), "Ranks to debug, e.g. 0,2 (default: 0).", value="RANKS"),
    Option("reattach", ("--reattach",), "Attach again to a program that is still running."),
    NO_PUSH,
)
ATTACH = (
    Option("allow_old_gdb", ("--force",), "Allow gdb older than 14, which may kill the process."),
)
PRINT = (Option("print", ("--print",), "Print the file instead of writing it."),)
TRUST = (Option("revoke", ("--revoke",), "Revoke the trust."),)
FOLLOW = (Option("follow", ("-f", "--follow"), "Keep printing what is added to the log."),)
INIT = (
    Option("user", ("--user",), "Owner of the containers and images.", value="NAME"),
    Option(
        "hosts",
        ("--host",),
        "Host and folder for the code; may be repeated.",
        value="HOST:DIR",
        many=True,
    ),
    Option("group", ("--group",), "Name of the host group (default: dev).", value="NAME"),
    Option("dockerfile", ("--dockerfile",), "The dockerfile.", value="FILE", completes="file"),
    Option("repl_cmd", ("--repl-cmd",), "Command of the REPL.", value="CMD"),
    Option("yes", ("--yes",), "Accept all suggestions without asking."),
)
