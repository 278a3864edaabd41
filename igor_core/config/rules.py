"""What each key of the config may hold, stated once for the checker and the JSON schema."""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """A text that matches the regular expression `refuse` is wrong; `sentence` says why.

    `refuse` keeps to the syntax that Python and JavaScript (the schema's) share.
    """

    refuse: str
    sentence: str

    def broken_by(self, text: str) -> bool:
        return re.search(self.refuse, text) is not None


class Key(NamedTuple):
    """A key of the config: its description, and the limits of its value.

    `rules` apply to the text itself, or to each text in a list or mapping; `names` to the keys
    of a mapping. A `filled` list or mapping must not be empty. No two tables of a list may agree
    in all members that `distinct` names.
    """

    description: str
    rules: tuple[Rule, ...] = ()
    names: tuple[Rule, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    filled: bool = False
    distinct: tuple[str, ...] = ()


def key(
    description: str,
    *,
    rules: tuple[Rule, ...] = (),
    names: tuple[Rule, ...] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    filled: bool = False,
    distinct: tuple[str, ...] = (),
) -> dict[str, Key]:
    """Return the metadata of a dataclass field that is a key of the config."""
    return {"key": Key(description, rules, names, minimum, maximum, filled, distinct)}


NOT_EMPTY = Rule(r"^(?![\s\S])", "must not be empty")
NO_NUL = Rule(r"\x00", "must not contain a NUL character")
NO_CONTROL = Rule(r"[\x00-\x1f\x7f-\x9f]", "must not contain line breaks or control characters")
NO_BLANK = Rule(r"\s", "must not contain spaces")
NO_DASH = Rule(r"^-", "must not start with '-'")
ONE_LINE = (NOT_EMPTY, NO_CONTROL)

# ssh puts host and user into ProxyCommand, which a shell reads: the characters that OpenSSH
# refuses in them (valid_hostname and valid_ruser in its ssh.c), here with '$' in both.
NO_SHELL = Rule(r"['`\"$;&<>|(){}]", "must not contain characters that are special to a shell")
HOST = (
    NOT_EMPTY,
    NO_DASH,
    Rule(r"@", "must be the host only; put the part before '@' under 'user'"),
    NO_CONTROL,
    NO_BLANK,
    NO_SHELL,
    Rule(r"[\\/]", r"must not contain '/' or '\'"),
)
LOGIN = (NOT_EMPTY, NO_DASH, NO_CONTROL, NO_BLANK, NO_SHELL)
HOST_DIR = (
    NOT_EMPTY,
    Rule(r"^(?!/|~/)", "must be an absolute path or start with '~/'"),
    NO_CONTROL,
)
WORKSPACE = (
    NOT_EMPTY,
    Rule(r"^(?!/)", "must be an absolute path"),
    NO_CONTROL,
    Rule(r"/\.\.?(/|$)", "must not contain '.' or '..'"),
    Rule(r"//|/$", "must not contain '//' or end with '/'"),
    Rule(r":", "must not contain ':'"),
)
NO_PARENT = Rule(r"(^|/)\.\.(/|$)", "must not contain '..'")
IN_PROJECT = (
    *ONE_LINE,
    NO_DASH,
    Rule(r"^/|^~", "must be a path in the project, from its root"),
    NO_PARENT,
)
FOLDER_NAME = (
    *ONE_LINE,
    NO_DASH,
    Rule(r"/", "must be the name of one folder, without '/'"),
    Rule(r"^\.\.?$", "must not be '.' or '..'"),
    Rule(r"^\.igor-host$", "must not be '.igor-host', which is igor's own folder on a host"),
)
_NAME = r"^(?![A-Za-z0-9])|[^A-Za-z0-9_.-]"
_IS_NAME = "has letters, digits, '_', '.' and '-', and starts with a letter or digit"
GROUP_NAME = (Rule(_NAME, f"a group's name {_IS_NAME}"),)
PROGRAM_NAME = (Rule(_NAME, f"a program's name {_IS_NAME}"),)
VARIABLE = (
    Rule(
        r"^(?![A-Za-z_])|[^A-Za-z0-9_]",
        "must have only letters, digits and '_', and not start with a digit",
    ),
)
ARGUMENT = (
    NOT_EMPTY,
    NO_NUL,
    Rule(
        r"^(--[^\s=]+|-\w)\s", "must be one argument; write the option and its value as two items"
    ),
)
PROGRAM = (*ONE_LINE, NO_DASH)
MODULE = (
    *ONE_LINE,
    NO_DASH,
    Rule(r"[\\/]|\.py$", "must be a module's name, with dots; put a file under 'program'"),
    Rule(r"\s|^\.|\.\.|\.$", "must be a module's name, as for 'python -m'"),
)
WORKING_DIRECTORY = (
    *ONE_LINE,
    Rule(r"^~", "must be a path from the project's root, or an absolute path in the container"),
    NO_PARENT,
)
