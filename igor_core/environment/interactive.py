"""A program on a terminal: its size, locale and PATH, and the project's Python."""

from collections.abc import Sequence

from igor_core.project_python import FUNCTION

# Docker before 23 tells the size only after the program has started, so it would first see 0x0.
# A locale that the image does not have is ASCII to programs (`locale charmap` says so under its
# old name); C.UTF-8 is in all but very old images, and musl knows no other.
# $3: the config's Python or nothing; $4: the project's name. What is beside the project's Python
# is found like what is on the PATH, after all of that. A TERM that only the local machine knows
# (kitty, ghostty, foot) would be an unknown terminal to programs: the nearest that is known here.
_START = f"""\
stty cols "$1" rows "$2" 2>/dev/null
{FUNCTION}
found=$(find_python "$3" "$4" 2>/dev/null) && export PATH="$PATH:${{found%/*}}"
shift 4
known() {{
    [ -n "$1" ] || return 1
    for folder in "$TERMINFO" "$HOME/.terminfo" /etc/terminfo /lib/terminfo /usr/share/terminfo \
        /usr/lib/terminfo /usr/local/share/terminfo /usr/share/lib/terminfo
    do
        [ -n "$folder" ] || continue
        for entry in "$folder"/?/"$1" "$folder"/??/"$1"; do [ -e "$entry" ] && return; done
    done
    return 1
}}
for term in "$TERM" "${{TERM%%-*}}-256color" xterm-256color xterm linux vt100; do
    if known "$term"; then export TERM="$term"; break; fi
done
case $(locale charmap 2>&1) in
    *ANSI_X3.4-1968)
        unset LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME
        export LANG=C.UTF-8 ;;
esac
command -v "$1" >/dev/null || {{
    echo "igor: there is no $1 here, on the PATH or beside the project's Python" >&2
    exit 127
}}
exec "$@"
"""

# $1: the config's Python or nothing; $2: the project's name; $3: what to prefer to it, if it is
# of the same installation: beside it, or on the PATH like itself.
_FIND = f"""\
{FUNCTION}
found=$(find_python "$1" "$2") || exit
if [ -n "$3" ]; then
    if [ -x "${{found%/*}}/$3" ]; then
        found=${{found%/*}}/$3
    elif [ "$found" = "$(command -v python || command -v python3)" ]; then
        found=$(command -v "$3") || found=$(find_python "$1" "$2")
    fi
fi
printf '%s\\n' "$found"
"""


def on_terminal(
    argv: Sequence[str], window: tuple[int, int], configured: str | None, project: str
) -> list[str]:
    """Return `argv` such that its terminal has its size (columns, rows) and UTF-8 from the
    first byte. `configured` is the Python that the config names."""
    size = map(str, window)
    return ["sh", "-c", _START, "igor", *size, configured or "", project, *argv]


def python_finder(configured: str | None, project: str, prefer: str = "") -> list[str]:
    """Return the command that prints the Python to run the project's programs with.

    `configured` or the environment's VIRTUAL_ENV, else the first of /venv/PROJECT, python, python3.
    `prefer` is a program ("ipython") that is taken instead if that Python has it.
    """
    return ["sh", "-c", _FIND, "igor", configured or "", project, prefer]
