"""A command in the container, or on the host itself, as data for whoever runs it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from igor_core.container.spec import Spec
from igor_core.environment import packed
from igor_core.runtime import Runtime

#: Precedes the number of the process group in the first line of output.
ANNOUNCEMENT = "\x1eigor-pid:"

# Engines make each exec a session of its own, so $$ leads session and process group.
_ANNOUNCE = """printf '\\036igor-pid:%s\\n' "$$"; exec "$@\""""

# Ends the session that $1 leads, by the signals that follow: an interactive shell has many process
# groups, but one session.
# In /proc/PID/stat, the name in parentheses may hold anything; state, parent, process group and
# session follow the last ')'. The last word of output is the signal that did it, "gone" when
# there was nothing left to end, "alive" when nothing helped.
_END = """\
members() {
    for folder in /proc/[0-9]*; do
        line=
        { while read -r next; do line=$next; done <"$folder/stat"; } 2>/dev/null
        rest=${line##*) }
        set -- "$1" $rest
        case ${2:-Z} in Z | X | x) continue ;; esac
        [ "$4" = "$1" ] || [ "$5" = "$1" ] || continue
        printf '%s ' "${folder#/proc/}"
    done
}
is_gone() {
    tries=30
    while [ -n "$(members "$1")" ]; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.1 2>/dev/null || { sleep 1; tries=$((tries - 9)); }
    done
}
leader=$1
shift
[ -n "$(members "$leader")" ] || { echo gone; exit 0; }
for signal do
    kill -s "$signal" $(members "$leader") 2>/dev/null
    is_gone "$leader" && { echo "$signal"; exit 0; }
done
echo alive
exit 1
"""


ENDING = ("INT", "TERM", "KILL")
#: Whoever sits at a terminal takes INT for a key; its end is HUP.
ENDING_ON_TERMINAL = ("HUP", "TERM", "KILL")


@dataclass(frozen=True)
class ExecCommand:
    """What to run on the host.

    With `announce`, the first line of output is `\\x1eigor-pid:N` ("\\r\\n" at its end on a
    terminal), and `end`, with N in place of "{pid}", is the command that ends it in the container.
    Without, it is an ordinary process of the host.
    """

    argv: Sequence[str]
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    announce: bool = False
    end: Sequence[str] = ()


def exec_command(
    runtime: Runtime | None,
    spec: Spec,
    argv: Sequence[str],
    *,
    tty: bool = False,
    env: Mapping[str, str] | None = None,
) -> ExecCommand:
    """`argv` in the project's container; without a runtime, in its folder on the host.

    `env` is added to what the config says for the host.
    """
    if runtime is None:
        return ExecCommand(argv, spec.tree, {**spec.env, **(env or {})})
    name = spec.owner.container
    signals = ENDING_ON_TERMINAL if tty else ENDING
    return ExecCommand(
        runtime.exec(name, ["sh", "-c", _ANNOUNCE, "igor", *argv], tty=tty, env=env),
        env=packed(env or {}),
        announce=True,
        end=runtime.exec(name, ["sh", "-c", _END, "igor", "{pid}", *signals], stdin=False),
    )


def shell_line(line: str) -> list[str]:
    """A line that the user wrote for a shell, as an argument list."""
    return ["sh", "-c", line]
