"""Hashing and deleting files on a host by sh, sha256sum and rm."""

import re
from collections.abc import Iterable

from igor_core.own_folder import FUNCTIONS
from igor_core.push.transport.rsync.host_commands import Runner, failed, joined, most_output
from igor_core.shapes import words

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
_DIGEST = re.compile(rb"[0-9a-f]{64}")


async def hashes(host: Runner, tree: str, files: Iterable[bytes]) -> dict[bytes, bytes]:
    """The sha256 of each of `files` that is a readable file on the host."""
    paths = joined(files)
    asked = set(paths.split(b"\0"))
    argv = ["sh", "-c", _HASH, "igor", tree]
    done = await host.run(argv, input=paths, most=most_output(paths))
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
    """Delete files, then those of `folders` that are empty.

    Return the files that could not be deleted, and the first reason. Raises HostError.
    """
    deepest_first = sorted(folders, key=lambda path: path.count(b"/"), reverse=True)
    argv = ["sh", "-c", _DELETE, "igor", tree]
    paths = joined([*files, *deepest_first])
    done = await host.run(argv, input=paths, most=most_output(paths))
    if done.status != 0:
        raise failed(host, done, tree)
    left = frozenset(path[2:] for path in done.stdout.split(b"\0") if path)
    said = done.stderr.decode("utf-8", "replace").splitlines()
    reasons = [line.rpartition(": ")[2] for line in said if not line.endswith("Is a directory")]
    return left, words(reasons[0]) if reasons else "it still exists"


def _unescaped(path: bytes) -> bytes:
    """Undo sha256sum's escapes of backslashes and line breaks in a name."""
    names = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}
    return re.sub(rb"\\(.)", lambda found: names.get(found[1], found[0]), path)
