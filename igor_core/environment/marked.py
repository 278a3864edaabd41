"""Find and end programs that outlive their terminal, by a variable that marks them.

Ending an engine's client ends nothing in the container, and the process number of a program in it
may belong to another process by now; the environment that a program started with stays its own.
"""

from igor_core.environment.kill_inside import ENDING_ON_TERMINAL

MARK = "IGOR_REPL"

# $1 is the marked variable, then signals. The last word of output is the signal that did it,
# "gone" when there was nothing to end, "alive" when nothing helped.
_END = """\
mark=$1
shift
members() {
    for folder in /proc/[0-9]*; do
        tr '\\0' '\\n' 2>/dev/null <"$folder/environ" | grep -qxF -e "$mark" &&
            printf '%s ' "${folder#/proc/}"
    done 2>/dev/null
}
is_gone() {
    tries=15
    while [ -n "$(members)" ]; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.2 2>/dev/null || { sleep 1; tries=$((tries - 4)); }
    done
}
[ -n "$(members)" ] || { echo gone; exit 0; }
for signal do
    kill -s "$signal" $(members) 2>/dev/null
    is_gone && { echo "$signal"; exit 0; }
done
echo alive
"""


def mark_ender(mark: str) -> list[str]:
    """Return the command that ends all programs with this mark.

    The last word of its output is the signal that did it, "gone" or "alive".
    """
    return ["sh", "-c", _END, "igor", f"{MARK}={mark}", *ENDING_ON_TERMINAL]
