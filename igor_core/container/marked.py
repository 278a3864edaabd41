"""Programs that outlive their terminal: marked by a variable, so that they can be found and ended.

Ending an engine's client ends nothing in the container, and a process number from there may be
another process's by now; the environment that a program was started with stays its own.
"""

from collections.abc import Mapping, Sequence

from igor_core.container.exec import ENDING_ON_TERMINAL
from igor_core.container.shell import Shell
from igor_core.container.spec import Spec
from igor_core.environment import in_the_open, packed, taking_apart
from igor_core.runtime import Runtime

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


def marked(
    runtime: Runtime | None, spec: Spec, argv: Sequence[str], mark: str, env: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """A command line for the host that runs `argv` on a terminal, where programs run, marked.

    And what must be in its environment.
    """
    variables = {**env, MARK: mark}
    if runtime is not None:
        words = runtime.exec(spec.owner.container, argv, tty=True, env=variables)
        return words, packed(variables)
    values = {**spec.env, **variables}
    pairs = [f"{name}={value}" for name, value in in_the_open(values).items()]
    return taking_apart(values, ["env", *pairs, *argv]), packed(values)


async def end_marked(shell: Shell, runtime: Runtime | None, spec: Spec, mark: str) -> str:
    """End all programs with this mark: by which signal, "gone" or "alive".

    "gone" too where there is no container.
    """
    words = ["sh", "-c", _END, "igor", f"{MARK}={mark}", *ENDING_ON_TERMINAL]
    if runtime is not None:
        words = runtime.exec(spec.owner.container, words, stdin=False)
    done = await shell.run(words)
    said = done.stdout.decode("utf-8", "replace").split()
    return said[-1] if said else "gone"
