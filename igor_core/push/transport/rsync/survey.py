"""Surveying a tree on a host by a small script for sh and GNU find.

rsync can't write conditionally, so its push first asks for the states of all paths that it may
touch. Between the answer and the writing a few seconds can pass; a change made on the host in just
that time can be overwritten.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from igor_core.errors import HostError
from igor_core.own_folder import FUNCTIONS
from igor_core.paths import HostPaths
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import Seen
from igor_core.push.transport.host_errors import claimed
from igor_core.push.transport.rsync.host_commands import Runner, failed, joined, most_output
from igor_core.shapes import MOST_PATH, WrongShape, words
from igor_core.worktree.files import with_parents

# $1 is the folder of all trees, $2 the project, $3 the clone that asks, $4 "writing", "taking", or
# both.
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
here=$(stat -c %d:%i .) || exit 69
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
case $4 in *writing*)
  device=$(tree "$project" && printf '%s' "${here%%:*}") || exit
  temporary=$(
    own .igor-host 700 && own tmp 700 && own "$project" 700 || exit
    if [ "${here%%:*}" = "$device" ]; then sweep; printf '%s' "$PWD"; fi
  ) || exit
  [ -n "$temporary" ] || temporary=$(
    tree "$project" && own .igor-host 700 && own tmp 700 && sweep && printf '%s' "$PWD"
  ) || exit
  [ "$owner" = "$claim" ] || (
    own .igor-host 700 && own claims 700 && rm -f -- "./$project.$$" && set -C &&
      printf '%s' "$claim" >"./$project.$$" && mv -fT -- "./$project.$$" "./$project" || exit 73
  ) || exit
esac
tree "$project"
printf '\0igor\0tree\0%s\0%s\0' "$PWD" "$temporary"
xargs -0 -r sh -c '
  find "$@" -maxdepth 0 -printf "%y %s %T@ %m\0%p\0%l\0" 2>/dev/null; [ $? -le 1 ]' sh &&
printf 'end\0'
"""
)
# Kind, size, time in seconds with a fraction, and mode, as find prints them; numbers of 63 bits.
_NUMBERS = re.compile(rb"([a-zA-Z?]) (\d{1,18}) (-?\d{1,10})(?:\.(\d{1,12}))? ([0-7]{1,6})")


@dataclass(frozen=True)
class Survey:
    """A tree on a host: its real path, whether it exists, and the states of the asked paths.

    `temporary` is the folder in which files are written before they are renamed into the tree.
    """

    path: str
    exists: bool
    temporary: str
    states: Mapping[bytes, State]


@dataclass(frozen=True)
class ShellSurveyor:
    """Surveys one tree on one host, as the clone that `claim` names.

    With `writing` missing folders are made and the tree is claimed; else nothing is changed on the
    host. With `take_over` the tree may belong to another clone.
    """

    host: Runner
    paths: HostPaths
    claim: str
    writing: bool = False
    take_over: bool = False

    @property
    def looking(self) -> "ShellSurveyor":
        """The same surveyor, changing nothing on the host."""
        return replace(self, writing=False)

    async def survey(self, files: Iterable[bytes]) -> Survey:
        """The states of `files` and the folders above them. Raises HostError."""
        mode = "writing " * self.writing + "taking" * self.take_over
        paths = self.paths
        argv = [
            "sh", "-c", _SURVEY, "igor", paths.base, paths.project, self.claim, mode,
        ]  # fmt: skip
        asked = await asyncio.to_thread(_asked_paths, files)
        done = await self.host.run(argv, input=asked, most=most_output(asked))
        # A login shell may have printed something first.
        fields = done.stdout.partition(b"\0igor\0")[2].split(b"\0")
        if done.status != 0 or len(fields) < 5 or fields[-2] != b"end":
            raise failed(self.host, done, paths.base)
        answer, detail, temporary = (
            field.decode("utf-8", "surrogateescape") for field in fields[:3]
        )
        if answer == "claimed":
            raise claimed(self.host.name, paths.tree, words(detail))
        try:
            if answer not in ("tree", "absent"):
                raise WrongShape(f"'{words(answer)[:40]}' where 'tree' or 'absent' belongs")
            states = await asyncio.to_thread(_states, asked, fields[3:-2])
        except WrongShape as error:
            raise HostError(
                f"{self.host.name}: unexpected answer to the survey of {paths.tree}: {error}",
                "find the cause: igor doctor",
            ) from None
        return Survey(detail, answer == "tree", temporary, states)


def is_as_expected(state: State | None, seen: Seen | None) -> bool:
    """Compare the kind of folders, the size and time of files, and the target of links."""
    if state is None or seen is None:
        return state is seen
    if state.kind != seen.kind:
        return False
    if state.kind == "l":
        return state.target == seen.target
    return state.kind == "d" or (state.size, state.mtime_ns) == (seen.size, seen.mtime_ns)


def _asked_paths(files: Iterable[bytes]) -> bytes:
    """The paths and the folders above, sorted so that the files of a folder come together."""
    return joined(sorted(with_parents(files)))


def _states(paths: bytes, fields: list[bytes]) -> dict[bytes, State]:
    """Read find's output. Raises WrongShape, also for a path that was not asked for."""
    asked, found = set(paths.split(b"\0")), {}
    for at in range(0, len(fields) - 2, 3):
        about, path, target = fields[at : at + 3]
        numbers = _NUMBERS.fullmatch(about)
        if numbers is None or path not in asked or not path or len(target) > MOST_PATH:
            raise WrongShape(f"an impossible file: {words(about)[:40]}")
        kind, size, seconds, fraction, mode = numbers.groups()
        # %T@ has ten digits after the point: nanoseconds and a zero.
        mtime_ns = int(seconds) * 10**9 + int((fraction or b"")[:9].ljust(9, b"0"))
        found[path[2:]] = State(kind.decode(), int(size), mtime_ns, int(mode, 8) & 0o777, target)
    return found
