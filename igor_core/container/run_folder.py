"""Igor's own files on a host, which each container sees at /run/igor: there, and as they are here.

They are for whoever starts a program in a container without igor: an editor's debugger.
"""

import asyncio
import hashlib
import posixpath
from collections.abc import Iterable, Mapping

from igor_core.container.shell import Shell, text
from igor_core.errors import HostError
from igor_core.own_folder import FUNCTIONS, UNSAFE_STATUS
from igor_core.paths import PROJECT_PYTHON, unsafe_hint
from igor_core.project_python import FUNCTION

# The project's Python, as igor chooses it where the config names none.
_PROJECT_PYTHON = f"""\
# Written by igor. sh {PROJECT_PYTHON} PROJECT WORDS...: the project's Python with WORDS.
{FUNCTION}
python=$(find_python "" "$1") || exit
shift
exec "$python" "$@"
"""

# $1 is the folder of all trees, then names. A file that somebody else may change is none.
_HASHES = (
    FUNCTIONS
    + """\
making=
cd -P -- "$1" 2>/dev/null || exit 0
shift
own .igor-host 700 && own run 755 || exit 0
for name
do
    case $(stat -c '%u %h %A' -- "./$name" 2>/dev/null) in
        "$user 1 -"????-??-?) sha256sum -- "$name" ;;
    esac
done
"""
)

# $1 is the folder of all trees, $2 a file's name, $3 its size, for a connection that ends in the
# middle.
_WRITE = (
    FUNCTIONS
    + """\
making=yes
mkdir -p -- "$1" && cd -P -- "$1" && own .igor-host 700 && own run 755 || exit
umask 077
new=.$2.$$
rm -f -- "$new"
set -C
cat >"$new" && [ "$(wc -c <"$new")" -eq "$3" ] && chmod 644 -- "$new" && mv -f -- "$new" "$2" || {
    rm -f -- "$new"
    exit 74
}
"""
)


def run_files(debug_helper: Mapping[str, bytes]) -> dict[str, bytes]:
    """All files of the folder by name: those of the debugger, and what finds a Python for it."""
    return {PROJECT_PYTHON: _PROJECT_PYTHON.encode(), **debug_helper}


async def differing(shell: Shell, folder: str, files: Mapping[str, bytes]) -> list[str]:
    """The names of `files` that the host has not, or otherwise; one round trip.

    HostError where the folder is not safe to use.
    """
    base = posixpath.dirname(posixpath.dirname(folder))
    done = await shell.run(["sh", "-c", _HASHES, "igor", base, *files])
    if done.status == UNSAFE_STATUS:
        raise HostError(text(done.stderr), unsafe_hint(base))
    rows = [line.split(maxsplit=1) for line in text(done.stdout).splitlines()]
    there = {row[1].strip(): row[0] for row in rows if len(row) == 2}
    return [
        name for name, content in files.items()
        if there.get(name) != hashlib.sha256(content).hexdigest()
    ]  # fmt: skip


async def write(
    shell: Shell, folder: str, files: Mapping[str, bytes], names: Iterable[str]
) -> None:
    """Write those called `names`, beside and renamed; a program that reads one is not disturbed.

    HostError where the host can't.
    """
    base = posixpath.dirname(posixpath.dirname(folder))
    done = await asyncio.gather(*(_write(shell, base, name, files[name]) for name in names))
    for status, said in done:
        if status == UNSAFE_STATUS:
            raise HostError(said, unsafe_hint(base))
        if status != 0:
            raise HostError(f"{folder} can't be written there: {said}", "look at igor doctor")


async def _write(shell: Shell, base: str, name: str, content: bytes) -> tuple[int, str]:
    """The status, and the last line of what was said."""
    command = ["sh", "-c", _WRITE, "igor", base, name, str(len(content))]
    done = await shell.run(command, input=content)
    return done.status, (text(done.stderr).splitlines() or [f"status {done.status}"])[-1]
