"""Values of environment variables on their way to a host, where each user sees all command lines.

A variable's value may be a password: on a host's command line stands only its name. The values
travel in the environment of the command, in one variable that the shell there takes apart.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

#: Holds the others, as `export` commands for sh.
VARIABLE = "IGOR_ENVIRONMENT"

_TAKE_APART = f'eval "${VARIABLE}"; unset {VARIABLE}; exec "$@"'
# mktemp(1): a new file, 0600, by a name that nobody knows before.
_KEEP = 'umask 077; file=$(mktemp) && cat >"$file" && printf "%s\\n" "$file"'
_READ = '. "$0"; rm -f -- "$0"; exec "$@"'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What a shell or an engine's client would itself act on, and what says nothing of anybody.
_OPEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TERM|COLORTERM|COLUMNS|LINES|LANG|LANGUAGE|TZ|TMPDIR"
    r"|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS[0-9]|PPID|UID|EUID|MAIL|CDPATH|NOTIFY_SOCKET"
    r"|IGOR_REPL"
    r"|(LC_|LD_|XDG_|DBUS_|SSH_|SSL_|GO|GLIBC_|MALLOC_|DOCKER_|BUILDX_|BUILDKIT_|PODMAN_|BUILDAH_"
    r"|CONTAINER|_CONTAINER|STORAGE_|REGISTR|LISTEN_).*"
)


def concealed(values: Mapping[str, str]) -> dict[str, str]:
    """Those that no command line may have; each of `values` is here or in `in_the_open`."""
    return {name: value for name, value in values.items() if not _is_open(name)}


def in_the_open(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if _is_open(name)}


def _is_open(name: str) -> bool:
    # sh passes on no variable of another name.
    return not _NAME.fullmatch(name) or bool(_OPEN.fullmatch(name))


def exports(values: Mapping[str, str]) -> str:
    """Commands for sh that set them."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


def packed(values: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command that `taking_apart` has made."""
    hidden = concealed(values)
    return {VARIABLE: exports(hidden)} if hidden else {}


def taking_apart(values: Mapping[str, str], argv: Sequence[str]) -> list[str]:
    """`argv` as a command that finds `packed(values)` in its environment."""
    if not concealed(values):
        return list(argv)
    return ["sh", "-c", _TAKE_APART, "igor", *argv]


#: Where a command can't be given an environment: keeps its standard input in a file that only the
#: user can read, and prints its path.
KEEP = ("sh", "-c", _KEEP)


def reading(file: str, argv: Sequence[str]) -> list[str]:
    """`argv` with the variables that are kept in `file`, which is gone then."""
    return ["sh", "-c", _READ, file, *argv]
