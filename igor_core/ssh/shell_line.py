"""Shell lines for hosts without a supervisor; the one place that quotes an argument list."""

import re
import shlex

from igor_core.ssh.process import Command

#: Begins the line with the number of the process group, which `shell_line` makes a command print.
MARK = b"\x1eigor-host:"
# The shell prints its number, which is the program's and that of its session.
_RUN = 'printf "\\036igor-host:%s\\n" "$$"; cd -- "$1" && shift && exec env "$@"'
_KILL = """\
members() {
  for folder in /proc/[0-9]*; do
    line=
    { read -r line <"$folder/stat"; } 2>/dev/null
    rest=${line##*) }
    set -- "$1" $rest
    case ${2:-Z} in Z|X) continue ;; esac
    [ "$4" = "$1" ] || [ "$5" = "$1" ] || continue
    printf '%s ' "${folder#/proc/}"
  done
}
for name in INT TERM KILL; do
  kill -s $name -- "-$1" $(members "$1") 2>/dev/null
  tries=30
  while kill -0 -- "-$1" 2>/dev/null || [ -n "$(members "$1")" ]; do
    [ $tries -gt 0 ] || continue 2
    tries=$((tries-1)); sleep 0.1
  done
  echo $name
  exit
done
"""
_SAFE = re.compile(rb"[A-Za-z0-9_./:=@%+,-]+")


def shell_line(command: Command) -> str:
    """Return the line for the host's login shell that runs a command, after a line with MARK.

    Any login shell takes it. A backslash, a newline or a "!" within quotes means other things to
    fish and csh than to sh, so such characters travel as octal numbers.
    """
    environment = [f"{name}={value}" for name, value in command.env.items()]
    words = ["sh", "-c", _RUN, "igor", command.cwd or ".", *environment, *command.argv]
    packed = b"".join(
        part if _SAFE.fullmatch(part) else b"".join(b"\\0%03o" % byte for byte in part)
        for part in re.split(rb"([^A-Za-z0-9_./:=@%+,-]+)", _to_bytes(shlex.join(words)))
        if part
    )
    return f"exec sh -c 'eval \"$(printf %b \"$1\")\"' igor 'exec {packed.decode()}'"


def kill_command(group: str) -> list[str]:
    """Return the command that kills a process group and its session, as the supervisor does.

    It prints the signal that did it. Without /proc it knows the group alone.
    """
    return ["sh", "-c", _KILL, "igor", group]


def _to_bytes(text: str) -> bytes:
    """Encode a name as the host knows it: undecodable bytes are lone surrogates."""
    return text.encode("utf-8", "surrogateescape")
