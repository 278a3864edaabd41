"""Asking a host what it has, and deleting there: small scripts for sh and GNU's find and xargs.

Paths travel on standard input, separated by NUL, never in a script. rsync can't write
conditionally, so its push first asks for the state of all that it may touch; between the
answer and the writing a few seconds can pass, and a change made on the host in just that time
can be overwritten.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.ssh.process import Completed

_SURVEY = r"""
tree=$1 private=$2 project=$3 claim=$4 mode=$5 owner=
claims=$private/claims temporary=$private/tmp/$project
if [ "$mode" != look ]; then
  mkdir -p -- "$tree" "$claims" "$temporary" && chmod 700 -- "$private" || exit 73
fi
[ -d "$tree" ] || { printf 'absent\0%s\0' "$tree"; exit 0; }
cd -- "$tree" || exit 73
[ -f "$claims/$project" ] && owner=$(cat -- "$claims/$project")
if [ -n "$owner" ] && [ "$owner" != "$claim" ] && [ "$mode" != take ]; then
  printf 'claimed\0%s\0' "$owner"; exit 0
fi
if [ "$mode" != look ]; then
  [ "$owner" = "$claim" ] || printf '%s' "$claim" >"$claims/$project" || exit 73
  # What an interrupted push may have left. Younger ones may be a running one's.
  find "$temporary" -mindepth 1 -mmin +60 -delete
fi
printf 'tree\0%s\0' "$(pwd -P)"
xargs -0 -r sh -c 'find "$@" -maxdepth 0 -printf "%y %s %T@ %m\0%p\0%l\0" 2>/dev/null; :' sh
"""
_HASH = 'cd -- "$1" && xargs -0 -r sha256sum -z --; :'
_DELETE = """cd -- "$1" && exec xargs -0 -r sh -c '
for path; do
  if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir -- "$path" 2>/dev/null
  else rm -f -- "$path"; fi
done; :' sh"""


@dataclass(frozen=True, slots=True)
class State:
    """What is at a path on a host: `kind` is find's %y ("f", "l", "d", …)."""

    kind: str
    size: int
    mtime_ns: int
    mode: int
    target: bytes = b""


@dataclass(frozen=True)
class Survey:
    """A tree on a host: its real path, whether it is there, and what is at the asked paths."""

    path: str
    exists: bool
    states: Mapping[bytes, State]


class Runner(Protocol):
    """A host that runs commands; ssh/host.py's RemoteHost."""

    name: str

    async def run(self, argv: list[str], *, input: bytes = b"") -> Completed: ...


async def survey(
    host: Runner, paths: HostPaths, files: Iterable[bytes], claim: str, mode: str
) -> Survey:
    """The tree's real path and the state of `files` and of the folders above them.

    `mode`: "look" changes nothing; "claim" makes the folders and claims the tree for `claim`;
    "take" does so even when another clone pushes here. Raises HostError.
    """
    wanted = with_parents(files)
    argv = ["sh", "-c", _SURVEY, "igor", paths.tree, paths.private, paths.project, claim, mode]
    done = await host.run(argv, input=_join(sorted(wanted)))
    fields = done.stdout.split(b"\0")
    if done.status != 0 or len(fields) < 3:
        raise _failed(host, done)
    answer, detail = fields[0], fields[1].decode("utf-8", "surrogateescape")
    if answer == b"claimed":
        raise HostError(
            f"{host.name}: {paths.tree} is pushed to from elsewhere: {detail}",
            'give this one another "project" name in its config, or take it over: '
            "igor push --take-over",
        )
    return Survey(detail, answer == b"tree", dict(_states(fields[2:])))


async def hashes(host: Runner, tree: str, files: Iterable[bytes]) -> dict[bytes, bytes]:
    """sha256 of the content of each of `files` that is a readable file on the host."""
    done = await host.run(["sh", "-c", _HASH, "igor", tree], input=_join(files))
    found = {}
    for line in filter(None, done.stdout.split(b"\0")):
        digest, path = line.split(b"  ./", 1)
        found[path] = bytes.fromhex(digest.decode("ascii"))
    return found


async def delete(host: Runner, tree: str, files: Iterable[bytes]) -> None:
    """Delete files, then the folders above them that are empty now. Raises HostError."""
    files = list(files)
    folders = sorted(with_parents(files) - set(files), key=len, reverse=True)
    argv = ["sh", "-c", _DELETE, "igor", tree]
    done = await host.run(argv, input=_join([*files, *folders]))
    if done.status != 0 or done.stderr:
        raise _failed(host, done)


def with_parents(files: Iterable[bytes]) -> set[bytes]:
    """The paths and all folders above them, the root left out."""
    found: set[bytes] = set()
    for path in files:
        while path and path not in found:
            found.add(path)
            path = path.rpartition(b"/")[0]
    return found


def _join(paths: Iterable[bytes]) -> bytes:
    """For xargs -0; "./" keeps a leading dash from being an option."""
    return b"".join(b"./" + path + b"\0" for path in paths)


def _states(fields: list[bytes]) -> Iterable[tuple[bytes, State]]:
    for at in range(0, len(fields) - 2, 3):
        about, path, target = fields[at : at + 3]
        kind, size, mtime, mode = about.decode("ascii").split(" ")
        seconds, _, fraction = mtime.partition(".")
        # %T@ has ten digits after the point: nanoseconds and a zero.
        mtime_ns = int(seconds) * 10**9 + int(fraction[:9].ljust(9, "0"))
        yield path[2:], State(kind, int(size), mtime_ns, int(mode, 8) & 0o777, target)


def _failed(host: Runner, done: Completed) -> HostError:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = said[-1] if said else f"exit status {done.status}"
    hint = "igor doctor looks for the cause"
    if "ermission denied" in reason:
        hint = 'is "dir" in the config a folder that you may write there?'
    elif "No space left" in reason:
        hint = "make room on that file system"
    return HostError(f"{host.name}: {reason}", hint)
