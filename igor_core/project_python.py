"""Where a project's programs find their Python, as a shell function: one rule for all who ask.

It is used by commands, terminals, the debugger, the doctor, and editors without igor.
"""

#: The exit status of the function if there is no Python.
NO_PYTHON = 127
HINT = 'mend the image or the host, or name another Python in the config: "debug": {"python": "…"}'

#: `find_python CONFIGURED PROJECT`: prints the path of the project's Python. What the config or
#: VIRTUAL_ENV names is binding: another Python would run the program with other packages, silently.
#: If it can't be used, a sentence on standard error says why, and the status is NO_PYTHON.
FUNCTION = f"""\
find_python() {{
    named=$1 by='"debug": {{"python"}} in the config'
    if [ -z "$named" ] && [ -n "$VIRTUAL_ENV" ]; then
        named=$VIRTUAL_ENV/bin/python by=VIRTUAL_ENV
    fi
    if [ -z "$named" ]; then
        for python in "/venv/$2/bin/python" python python3; do
            command -v "$python" && return
        done
        echo 'there is no Python' >&2
        return {NO_PYTHON}
    fi
    case $named in
        */*) [ -f "$named" ] && [ -x "$named" ] && printf '%s\\n' "$named" && return ;;
        *) command -v "$named" && return ;;
    esac
    printf '%s, which %s names, %s\\n' "$named" "$by" "$(why_no_python "$named")" >&2
    return {NO_PYTHON}
}}
why_no_python() {{
    path=$1 link=
    case $path in
        */*) ;;
        *) echo 'is not on the PATH'; return ;;
    esac
    for step in 1 2 3 4 5 6 7 8; do
        above=$path
        while above=${{above%/*}}; [ -n "$above" ]; do
            if [ -d "$above" ] && [ ! -x "$above" ]; then
                echo "${{link}}can't be reached: $above is closed to uid $(id -u)"
                return
            fi
        done
        [ -L "$path" ] || break
        target=$(readlink "$path")
        case $target in
            /*) path=$target ;;
            *) path=${{path%/*}}/$target ;;
        esac
        link="is a link to $path, which "
    done
    if [ -d "$path" ]; then echo "${{link}}is a folder"
    elif [ -e "$path" ]; then echo "${{link}}is not executable"
    else echo "${{link}}is not there"
    fi
}}
"""
