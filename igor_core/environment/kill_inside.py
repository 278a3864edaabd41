"""End a program inside a container, which the signals of the engine's client do not reach."""

from collections.abc import Sequence

#: Precedes the number of the process group in the first line of output.
ANNOUNCEMENT = "\x1eigor-pid:"

# Engines make each exec a session of its own, so $$ leads session and process group.
_ANNOUNCE = """printf '\\036igor-pid:%s\\n' "$$"; exec "$@\""""

# Ends the session that $1 leads, with the signals that follow: an interactive shell has many
# process groups, but one session.
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
#: A program on a terminal takes INT for a key; HUP ends it.
ENDING_ON_TERMINAL = ("HUP", "TERM", "KILL")


def announcing(argv: Sequence[str]) -> list[str]:
    """Return `argv` such that its first line of output names its process group.

    The line is `\\x1eigor-pid:N`, on a terminal with "\\r\\n" at its end.
    """
    return ["sh", "-c", _ANNOUNCE, "igor", *argv]


def killer(signals: Sequence[str]) -> list[str]:
    """Return the command that ends process group "{pid}" with these signals, one after another."""
    return ["sh", "-c", _END, "igor", "{pid}", *signals]
