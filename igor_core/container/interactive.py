"""What makes a program on a terminal in a container feel at home, and which Python is meant."""

from collections.abc import Sequence

from igor_core.container.run_folder import PYTHONS
from igor_core.container.shell import Shell
from igor_core.container.spec import Spec
from igor_core.runtime import Runtime

# Docker before 23 tells the size only after the program has started, so it would first see 0x0.
# A locale that the image does not have is ASCII to programs (`locale charmap` says so under its
# old name); C.UTF-8 is in all but very old images, and musl knows no other.
_START = """\
stty cols "$1" rows "$2" 2>/dev/null
shift 2
case $(locale charmap 2>&1) in
    *ANSI_X3.4-1968)
        unset LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME
        export LANG=C.UTF-8 ;;
esac
exec "$@"
"""

# $1: the config's Python or nothing; $2: the project's name; $3: what to prefer to it, if it is
# of the same installation: beside it, or on the PATH like itself.
_FIND = f"""\
project=$2
for python in "$1" {PYTHONS}
do
    found=$([ -n "$python" ] && command -v "$python") || continue
    if [ -n "$3" ]; then
        [ -x "${{found%/*}}/$3" ] && found=${{found%/*}}/$3
        case $python in */*) ;; *) found=$(command -v "$3") || found=$(command -v "$python") ;; esac
    fi
    printf '%s\\n' "$found"
    exit
done
"""


def on_terminal(argv: Sequence[str], columns: int, rows: int) -> list[str]:
    """`argv`, started on a terminal that has its size and speaks UTF-8 from the first byte."""
    return ["sh", "-c", _START, "igor", str(columns), str(rows), *argv]


async def find_python(
    shell: Shell, runtime: Runtime | None, spec: Spec, configured: str | None, prefer: str = ""
) -> str:
    """The Python to run the project's programs with, "" where there is none; one round trip.

    In this order: `configured`, the environment's VIRTUAL_ENV, /venv/PROJECT, python, python3.
    `prefer` is a program that is taken instead where that Python has it, as "ipython".
    """
    finder = ["sh", "-c", _FIND, "igor", configured or "", spec.owner.project, prefer]
    if runtime is None:
        done = await shell.run(finder, cwd=spec.tree, env=spec.env)
    else:
        done = await shell.run(runtime.exec(spec.owner.container, finder, stdin=False))
    return done.stdout.decode("utf-8", "replace").strip()
