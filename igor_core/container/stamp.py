"""What an image is built from, as a stamp: whether to build it again, and why.

The stamp and a short digest of each input are labels of the image on the host, so igor notices
an image that somebody removed or built in another way.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.container.dockerignore import BadPattern, DockerPattern, Ignore, compile_pattern
from igor_core.container.names import IMAGE_INPUTS, IMAGE_STAMP, label
from igor_core.errors import UsageError
from igor_core.worktree.content import hash_of
from igor_core.worktree.open_inside import Inside

_SHORT = 12
# One argument of a command can't be longer than 128 KiB on Linux.
_LONGEST_LABEL = 60_000


@dataclass(frozen=True)
class Inputs:
    """sha256 (hex) of the dockerfile and of each rebuild file and build argument by name.

    `missing` are the rebuild patterns that no pushed file matches; `contents` has the sha256 of
    the regular files by path, to be compared with the host's.
    """

    dockerfile: str
    files: Mapping[str, str]
    args: Mapping[str, str]
    missing: tuple[str, ...] = ()
    contents: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def stamp(self) -> str:
        """One sha256 (hex) of all inputs."""
        return _sha256(_json([self.dockerfile, dict(self.files), dict(self.args)]).encode())

    @property
    def labels(self) -> dict[str, str]:
        detail = {"dockerfile": self.dockerfile[:_SHORT]}
        detail |= {f"file {name}": digest[:_SHORT] for name, digest in self.files.items()}
        detail |= {f"argument {name}": digest[:_SHORT] for name, digest in self.args.items()}
        text = _json(detail)
        return {
            IMAGE_STAMP: self.stamp,
            IMAGE_INPUTS: text if len(text) <= _LONGEST_LABEL else "",
        }

    def differences(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return why to rebuild an image with these labels; empty if it is up to date."""
        if labels.get(IMAGE_STAMP) == self.stamp:
            return ()
        before = _read_detail(labels.get(IMAGE_INPUTS, ""))
        now = _read_detail(self.labels[IMAGE_INPUTS])
        names = sorted(before.keys() | now.keys()) if before and now else []
        changes = (_change(name, before.get(name), now.get(name)) for name in names)
        return tuple(filter(None, changes)) or ("its inputs changed",)


def read_inputs(
    root: Path,
    dockerfile: str,
    rebuild: Sequence[str],
    args: Mapping[str, str],
    pushed: Iterable[bytes],
) -> Inputs:
    """Read what the image is built from, in the project's folder `root`.

    `rebuild` are names or patterns, as in .dockerignore, for `pushed`, the paths of the pushed
    files, relative to root. Raises UsageError for an invalid pattern or an unreadable file.
    """
    known = {os.fsdecode(path) for path in pushed}
    found: set[str] = set()
    missing = []
    for pattern in rebuild:
        matching = _matching(pattern, known)
        found |= matching
        missing += [] if matching else [pattern]
    dockerfile = os.path.normpath(dockerfile)
    digests = _digests(root, sorted({dockerfile, *found}))
    return Inputs(
        digests[dockerfile].text,
        {label(name): digests[name].text for name in sorted(found)},
        {name: _sha256(args[name].encode("utf-8", "surrogatepass")) for name in sorted(args)},
        tuple(missing),
        {
            os.fsencode(name): bytes.fromhex(digest.text)
            for name, digest in digests.items()
            if not digest.is_link
        },
    )


def _matching(pattern: str, paths: Set[str]) -> set[str]:
    literal = os.path.normpath(pattern)
    if literal in paths:
        return {literal}
    try:
        wanted = Ignore([DockerPattern(compile_pattern(pattern))])
    except BadPattern as error:
        raise UsageError(
            f"docker_rebuild_files in the config: {error}", "correct the pattern"
        ) from None
    return {path for path in paths if wanted.ignores(path)}


@dataclass(frozen=True)
class _Digest:
    """The sha256 (hex) of a file's content, or of a link's target, as in the build context."""

    text: str
    is_link: bool = False


def _digests(root: Path, names: Iterable[str]) -> dict[str, _Digest]:
    found = {}
    name = ""
    try:
        with Inside(root) as inside:
            for name in names:
                found[name] = _digest(inside, os.fsencode(name))
    except OSError as error:
        raise UsageError(f"{root / name} can't be read: {error.strerror}") from None
    return found


def _digest(inside: Inside, path: bytes) -> _Digest:
    if stat.S_ISLNK(inside.lstat(path).st_mode):
        return _Digest(_sha256(b"link\0" + inside.readlink(path)), is_link=True)
    with open(inside.open(path), "rb") as stream:
        return _Digest(hash_of(stream).hex())


def _change(name: str, before: str | None, now: str | None) -> str:
    kind, _, rest = name.partition(" ")
    what = {"file": rest, "argument": f"build argument {rest}"}.get(kind, "the dockerfile")
    if before == now:
        return ""
    if before is None:
        return f"{what} added"
    return f"{what} removed" if now is None else f"{what} changed"


def _read_detail(text: str) -> dict[str, str]:
    try:
        detail = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(detail, dict):
        return {}
    return {name: digest for name, digest in detail.items() if isinstance(digest, str)}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
