"""Asking a host what it has, and deleting there: small scripts for sh and GNU's find and xargs.

Paths travel on standard input, separated by NUL, never in a script. rsync can't write
conditionally, so its push first asks for the state of all that it may touch; between the
answer and the writing a few seconds can pass, and a change made on the host in just that time
can be overwritten.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from igor_core.errors import HostError
from igor_core.own_folder import FUNCTIONS, UNSAFE_STATUS
from igor_core.paths import HostPaths, unsafe_hint
from igor_core.push.channel.question import Seen
from igor_core.push.channel.state import State
from igor_core.shapes import MOST_PATH, WrongShape, words
from igor_core.ssh.process import MOST_OUTPUT, Completed
from igor_core.worktree.files import with_parents

# $1 is the folder of all trees, $2 the project, $3 whose claim it is, $4 what is wanted.
_SURVEY = (
    FUNCTIONS
    + r"""
export LC_ALL=C
base=$1 project=$2 claim=$3 making= owner=
case $4 in *writing*)
  making=yes
  mkdir -p -- "$base" && cd -P -- "$base" || exit 73
  [ -e "./$project" ] || [ -L "./$project" ] || mkdir -- "./$project" || exit 73
esac
cd -P -- "$base" 2>/dev/null && { [ -d "./$project" ] || [ -L "./$project" ]; } ||
  { printf '\0igor\0absent\0%s\0\0end\0' "$base/$project"; exit 0; }
owner=$(
  own .igor-host 700 && own claims 700 || exit 0
  if [ -f "./$project" ] && [ ! -L "./$project" ]; then cat -- "./$project"; fi
) || exit
if [ -n "$owner" ] && [ "$owner" != "$claim" ]; then
  case $4 in *taking*) ;; *) printf '\0igor\0claimed\0%s\0\0end\0' "$owner"; exit 0; esac
fi
sweep() {
  find . -mindepth 1 -maxdepth 1 ! -type d -mmin +60 -regextype posix-extended \
    -regex '\./(\..+\.[A-Za-z0-9]{6}|.+\.[0-9]+\.[0-9]+\.([0-9]+|beside))' -delete
}
find . -maxdepth 0 -printf '' || exit 69
device=$(tree "$project" && stat -c %d .) || exit
case $4 in *writing*)
  temporary=$(
    own .igor-host 700 && own tmp 700 && own "$project" 700 || exit
    if [ "$(stat -c %d .)" = "$device" ]; then sweep; pwd -P; fi
  ) || exit
  [ -n "$temporary" ] || temporary=$(
    tree "$project" && own .igor-host 700 && own tmp 700 && sweep && pwd -P
  ) || exit
  [ "$owner" = "$claim" ] || (
    own .igor-host 700 && own claims 700 && rm -f -- "./$project.$$" && set -C &&
      printf '%s' "$claim" >"./$project.$$" && mv -fT -- "./$project.$$" "./$project" || exit 73
  ) || exit
esac
tree "$project"
printf '\0igor\0tree\0%s\0%s\0' "$(pwd -P)" "$temporary"
xargs -0 -r sh -c '
  find "$@" -maxdepth 0 -printf "%y %s %T@ %m\0%p\0%l\0" 2>/dev/null; [ $? -le 1 ]' sh &&
printf 'end\0'
"""
)
_HASH = FUNCTIONS + 'at "$1" && LC_ALL=C xargs -0 -r sha256sum --; :'
_DELETE = (
    FUNCTIONS
    + """
export LC_ALL=C
at "$1" && exec xargs -0 -r sh -c '
rm -f -- "$@"; rmdir -- "$@" 2>/dev/null
for path; do
  if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then printf "%s\\0" "$path"; fi
done' sh"""
)

_NOT_GNU = 69
# Numbers of 63 bits, and of a clock that has nanoseconds of as many.
_NUMBERS = re.compile(rb"([a-zA-Z?]) (\d{1,18}) (-?\d{1,10})(?:\.(\d{1,12}))? ([0-7]{1,6})")
_DIGEST = re.compile(rb"[0-9a-f]{64}")


def is_as_expected(state: State | None, seen: Seen | None) -> bool:
    """Of folders the kind counts, of files size and time, of links the target."""
    if state is None or seen is None:
        return state is seen
    if state.kind != seen.kind:
        return False
    if state.kind == "l":
        return state.target == seen.target
    return state.kind == "d" or (state.size, state.mtime_ns) == (seen.size, seen.mtime_ns)


@dataclass(frozen=True)
class Survey:
    """A tree on a host: its real path, whether it is there, and what is at the asked paths.

    `temporary` is where files are written before they are renamed into the tree.
    """

    path: str
    exists: bool
    temporary: str
    states: Mapping[bytes, State]


class Runner(Protocol):
    """A host that runs commands; ssh/host.py's RemoteHost."""

    name: str

    async def run(
        self, argv: list[str], *, input: bytes = b"", most: int = MOST_OUTPUT
    ) -> Completed: ...


@dataclass(frozen=True)
class Asker:
    """Asks one host about one tree, as the clone that `claim` names.

    `writing` makes the folders that are missing and claims the tree; without it nothing is
    changed there. `taking` does so even where another clone pushes.
    """

    host: Runner
    paths: HostPaths
    claim: str
    writing: bool = False
    taking: bool = False

    @property
    def looking(self) -> "Asker":
        """The same, changing nothing there."""
        return replace(self, writing=False)

    async def survey(self, files: Iterable[bytes]) -> Survey:
        """The tree's real path and the state of `files` and the folders above. HostError."""
        mode = "writing " * self.writing + "taking" * self.taking
        paths = self.paths
        argv = [
            "sh", "-c", _SURVEY, "igor", paths.base, paths.project, self.claim, mode,
        ]  # fmt: skip
        question = await asyncio.to_thread(_question, files)
        done = await self.host.run(argv, input=question, most=_room(question))
        # A login shell may have printed something before.
        fields = done.stdout.partition(b"\0igor\0")[2].split(b"\0")
        if done.status != 0 or len(fields) < 5 or fields[-2] != b"end":
            raise _failed(self.host, done, paths.base)
        answer, detail, temporary = (
            field.decode("utf-8", "surrogateescape") for field in fields[:3]
        )
        if answer == "claimed":
            raise claimed(self.host.name, paths.tree, words(detail))
        try:
            if answer not in ("tree", "absent"):
                raise WrongShape(f"neither a tree nor none: {words(answer)[:40]}")
            states = await asyncio.to_thread(_states, question, fields[3:-2])
        except WrongShape as error:
            raise HostError(
                f"{self.host.name}: it does not say what is in {paths.tree}: {error}",
                "igor doctor looks for the cause",
            ) from None
        return Survey(detail, answer == "tree", temporary, states)


def claimed(host: str, tree: str, owner: str) -> HostError:
    """Another clone pushes there."""
    return HostError(
        f"{host}: {tree} is pushed to from elsewhere: {owner}",
        'give this one another "project" name in its config, or take it over: '
        "igor push --take-over",
    )


async def hashes(host: Runner, tree: str, files: Iterable[bytes]) -> dict[bytes, bytes]:
    """sha256 of the content of each of `files` that is a readable file on the host."""
    question = _join(files)
    asked = set(question.split(b"\0"))
    argv = ["sh", "-c", _HASH, "igor", tree]
    done = await host.run(argv, input=question, most=_room(question))
    found = {}
    for line in done.stdout.split(b"\n"):
        escaped = line.startswith(b"\\")
        digest, _, path = line.removeprefix(b"\\").partition(b"  ./")
        path = _unescaped(path) if escaped else path
        if _DIGEST.fullmatch(digest) and b"./" + path in asked:
            found[path] = bytes.fromhex(digest.decode("ascii"))
    return found


async def delete(
    host: Runner, tree: str, files: Iterable[bytes], folders: Iterable[bytes]
) -> tuple[frozenset[bytes], str]:
    """Delete files, then of `folders` those that are empty.

    The files that are still there and why. Raises HostError.
    """
    deepest_first = sorted(folders, key=lambda path: path.count(b"/"), reverse=True)
    argv = ["sh", "-c", _DELETE, "igor", tree]
    question = _join([*files, *deepest_first])
    done = await host.run(argv, input=question, most=_room(question))
    if done.status != 0:
        raise _failed(host, done, tree)
    left = frozenset(path[2:] for path in done.stdout.split(b"\0") if path)
    said = done.stderr.decode("utf-8", "replace").splitlines()
    reasons = [line.rpartition(": ")[2] for line in said if not line.endswith("Is a directory")]
    return left, words(reasons[0]) if reasons else "it is still there"


def _join(paths: Iterable[bytes]) -> bytes:
    """For xargs -0; "./" keeps a leading dash from being an option."""
    return b"".join(b"./" + path + b"\0" for path in paths)


def _question(files: Iterable[bytes]) -> bytes:
    """The paths and the folders above them, in the order in which a folder's files are together."""
    return _join(sorted(with_parents(files)))


def _room(question: bytes) -> int:
    """How much may be answered to a question of paths: each path, and a line about it."""
    return MOST_OUTPUT + 2 * len(question) + 128 * question.count(b"\0")


def _unescaped(path: bytes) -> bytes:
    """sha256sum(1): a backslash or a line break in a name is escaped."""
    names = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}
    return re.sub(rb"\\(.)", lambda found: names.get(found[1], found[0]), path)


def _states(question: bytes, fields: list[bytes]) -> dict[bytes, State]:
    """WrongShape where a line is none of find's, or about what was not asked for."""
    asked, found = set(question.split(b"\0")), {}
    for at in range(0, len(fields) - 2, 3):
        about, path, target = fields[at : at + 3]
        numbers = _NUMBERS.fullmatch(about)
        if numbers is None or path not in asked or not path or len(target) > MOST_PATH:
            raise WrongShape(f"a file such as there is none: {words(about)[:40]}")
        kind, size, seconds, fraction, mode = numbers.groups()
        # %T@ has ten digits after the point: nanoseconds and a zero.
        mtime_ns = int(seconds) * 10**9 + int((fraction or b"")[:9].ljust(9, b"0"))
        found[path[2:]] = State(kind.decode(), int(size), mtime_ns, int(mode, 8) & 0o777, target)
    return found


def _failed(host: Runner, done: Completed, where: str) -> HostError:
    if done.status == _NOT_GNU:
        return HostError(
            f"{host.name}: a push needs GNU find there",
            "install the packages findutils and coreutils there",
        )
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = words(said[-1]) if said else f"exit status {done.status}"
    unsafe = done.status == UNSAFE_STATUS
    return HostError(f"{host.name}: {reason}", unsafe_hint(where) if unsafe else hint_for(reason))


def hint_for(reason: str) -> str:
    """What to do about what a program on the host said."""
    if "ermission denied" in reason or "Read-only" in reason:
        return 'is "dir" in the config a folder that you may write there?'
    if "No space left" in reason:
        return "make room on that file system"
    if "quota" in reason:
        return "your quota there is used up; make room"
    return "igor doctor looks for the cause"
