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
# What a shell or an engine's client itself would act on, or igor sets; none of them is a secret.
# They are listed by their whole names: what begins alike (DOCKER_PASSWORD) may be one.
_OPEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TERM|COLORTERM|COLUMNS|LINES|LANG|LANGUAGE|TZ|TMPDIR"
    r"|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS[0-9]|PPID|UID|EUID|MAIL|CDPATH|NOTIFY_SOCKET"
    r"|IGOR_REPL|PYTHONUNBUFFERED|DBUS_SESSION_BUS_ADDRESS|LISTEN_(PID|FDS|FDNAMES)|(LC|LD|MALLOC)_[A-Z_]+"
    r"|XDG_(RUNTIME_DIR|(CONFIG|DATA|CACHE|STATE)_HOME|(CONFIG|DATA)_DIRS)|SSL_CERT_(FILE|DIR)"
    r"|SSH_(AUTH_SOCK|AGENT_PID|ASKPASS|ASKPASS_REQUIRE|CONNECTION|CLIENT|TTY)|GLIBC_TUNABLES"
    r"|GO(DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK|RACE|COVERDIR)"
    r"|DOCKER_(HOST|CONTEXT|CONFIG|TLS|TLS_VERIFY|CERT_PATH|API_VERSION|DEFAULT_PLATFORM|BUILDKIT"
    r"|CONTENT_TRUST|CONTENT_TRUST_SERVER|HIDE_LEGACY_COMMANDS|CLI_[A-Z_]+)"
    r"|(BUILDX|BUILDKIT)_(BUILDER|CONFIG|HOST|PROGRESS|COLORS|NO_CLIENT_TOKEN|STEP_LOG_MAX_[A-Z]+)"
    r"|PODMAN_(USERNS|CONNECTIONS_CONF|COMPOSE_[A-Z_]+|IGNORE_CGROUPSV1_WARNING)"
    r"|BUILDAH_(FORMAT|ISOLATION|LAYERS|RUNTIME|NOFAILFAST)|_?CONTAINERS_[A-Z_]+"
    r"|CONTAINER_(HOST|CONNECTION|SSHKEY|PROXY|TLS_[A-Z_]+)|STORAGE_(DRIVER|OPTS)"
    r"|REGISTR(Y_AUTH_FILE|IES_CONFIG_PATH)"
)


def concealed(values: Mapping[str, str]) -> dict[str, str]:
    """The variables whose values no command line may show; the others are `in_the_open`."""
    return {name: value for name, value in values.items() if not _is_open(name)}


def in_the_open(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if _is_open(name)}


def _is_open(name: str) -> bool:
    # sh passes on no variable of another name.
    return not _NAME.fullmatch(name) or bool(_OPEN.fullmatch(name))


def exports(values: Mapping[str, str]) -> str:
    """Commands for sh that set the variables."""
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
    """`argv` with the variables in `file`, which it removes first."""
    return ["sh", "-c", _READ, file, *argv]
