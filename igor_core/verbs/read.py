"""read: a file that only a host has, as `igor://host/path` names it."""

import asyncio
import string
from collections.abc import Sequence

from igor_core.container.engine_errors import last_line
from igor_core.environment import Environment, EnvironmentDown
from igor_core.errors import HostError, UsageError
from igor_core.events import Outcome
from igor_core.ssh.process import Completed
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job, text_argument
from igor_core.verbs.steps.targets import Target, all_targets_of
from igor_core.worktree.files import shown

SCHEME = "igor://"
MOST_BYTES = 4 << 20
SECONDS = 20.0

# $1 is the path as `_packed` returns it, $2 the limit in bytes. The first line says what the path
# is; a file's content follows. One byte more than the limit shows that it has grown past it since.
_READ = """\
path=$(printf %b. "$1")
set -- "${path%.}" "$2"
say() { printf 'igor %s\n' "$1"; exit 0; }
if [ ! -e "$1" ]; then [ ! -L "$1" ] || say link; say nothing; fi
[ ! -d "$1" ] || say folder
[ -f "$1" ] || say special
[ -r "$1" ] || say closed
size=$(wc -c <"$1") || say closed
[ "$size" -le "$2" ] || say large
printf 'igor file\n'
exec head -c "$(($2 + 1))" -- "$1"
"""
_PLAIN = frozenset(f"{string.ascii_letters}{string.digits}/._-".encode())
_SAID = {
    b"igor link": "is a link to nothing",
    b"igor nothing": "is not there",
    b"igor folder": "is a folder",
    b"igor special": "is no regular file",
    b"igor closed": "may not be read",
    b"igor large": f"is larger than {MOST_BYTES >> 20} MB",
}


async def read(job: Job, context: Context) -> Outcome:
    """Return {"content", "size", "path"} as data. Raises HostError; UsageError for a wrong name."""
    name = text_argument(job, "name") or ""
    candidates, path = _named(name, all_targets_of(job, context))
    missing: EnvironmentDown | None = None
    for target in candidates:
        try:
            environment = await target.connect()
            there = environment.as_programs_see(path)
            content = await _read(environment, there)
        except EnvironmentDown as error:
            missing = missing or error
        else:
            return Outcome(0, data={"content": content, "size": len(content), "path": there})
    assert missing is not None
    raise missing


def _named(name: str, targets: Sequence[Target]) -> tuple[list[Target], str]:
    """Return the named host, once for each group with other files, and the path on it."""
    rest = name.removeprefix(SCHEME)
    fitting = [target for target in targets if rest.startswith(f"{target.name}/")]
    if rest == name or "\0" in rest or "/" not in rest:
        raise UsageError(f"read: {name!r} is not the address of a file", "igor://host/path")
    if not fitting:
        host = rest.partition("/")[0]
        known = ", ".join(dict.fromkeys(target.name for target in targets))
        raise UsageError(f"read: {host!r} is no host of this project", f"its hosts: {known}")
    longest = max(len(target.name) for target in fitting)
    path = rest[longest:]
    found = [target for target in fitting if len(target.name) == longest]
    different = {target.environment().files: target for target in reversed(found)}
    return list(reversed(different.values())), path


async def _read(environment: Environment, path: str) -> bytes:
    """Read the file. Raises HostError; EnvironmentDown if its environment is down."""
    where = f"{_printable(path)} {environment.where}"
    argv = ["sh", "-c", _READ, "igor", _packed(path), str(MOST_BYTES)]
    try:
        done = await asyncio.wait_for(environment.run(argv), SECONDS)
    except asyncio.TimeoutError:
        raise HostError(f"{where} takes longer than {SECONDS:.0f} s to read") from None
    said, _, content = done.stdout.partition(b"\n")
    if said == b"igor file" and len(content) > MOST_BYTES:
        said = b"igor large"
    if said in _SAID:
        raise HostError(f"{where} {_SAID[said]}")
    if said != b"igor file":
        raise await _not_asked(environment, done)
    if done.status != 0:
        words = last_line(done.stderr.decode("utf-8", "replace"))
        raise HostError(f"{where} can't be read: {words}")
    return content


async def _not_asked(environment: Environment, done: Completed) -> HostError:
    """Return why the engine, or the host, did not even start the command."""
    error = await environment.why_not_begun(done)
    if isinstance(error, EnvironmentDown):
        return EnvironmentDown(f"{error.message}, so there is nothing to read from", error.hint)
    if error is not None:
        return error
    said = last_line(done.stderr.decode("utf-8", "replace"))
    return HostError(f"no command can be run {environment.where}: {said}")


def _packed(path: str) -> str:
    """Escape for printf's %b, since engines can't pass on arguments that are not UTF-8."""
    data = path.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _PLAIN else f"\\0{byte:03o}" for byte in data)


def _printable(path: str) -> str:
    return shown(path.encode("utf-8", "surrogateescape"))
