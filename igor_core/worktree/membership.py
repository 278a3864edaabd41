"""Whether single paths belong to the tree, without listing all of it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from igor_core.worktree import git
from igor_core.worktree.scanner import Scanner

# For more paths, looking at everything is cheaper.
MANY = 200


@dataclass
class Membership:
    """The `paths` that belong to the tree; `reconcile` if only a scan can decide for some."""

    paths: set[bytes] = field(default_factory=set)
    reconcile: bool = False


def belonging(scanner: Scanner, lists: Mapping[bytes, bool], paths: Iterable[bytes]) -> Membership:
    """Return which of these files belong to the tree that is made up of `lists`. Blocks.

    Raises IgorError if git refuses.
    """
    found, asked = Membership(), set(paths)
    if len(asked) > MANY:
        return Membership(reconcile=True)
    by_list: dict[bytes, list[bytes]] = {}
    for path in asked:
        by_list.setdefault(_repository(scanner, path), []).append(path)
    for prefix, within in by_list.items():
        if prefix not in lists:
            found.reconcile |= _is_listed(scanner, lists, prefix.rstrip(b"/"))
        elif lists[prefix]:
            _ask_git(scanner, prefix, within, found)
        else:
            found.paths.update(path for path in within if scanner.walk(prefix).has(path))
    found.paths = {path for path in found.paths if not scanner.dropped.cover(path)}
    return found


def _repository(scanner: Scanner, path: bytes) -> bytes:
    """Return the prefix of the innermost repository around a path; empty for the root's list."""
    folder = path.rpartition(b"/")[0]
    while folder:
        if os.path.lexists(os.path.join(os.fsencode(scanner.root), folder, b".git")):
            return folder + b"/"
        folder = folder.rpartition(b"/")[0]
    return b""


def _is_listed(scanner: Scanner, lists: Mapping[bytes, bool], repository: bytes) -> bool:
    """Return whether a nested repository that the tree did not include may belong to it now."""
    around = _repository(scanner, repository)
    inner = scanner.root / os.fsdecode(repository)
    if git.is_own_worktree(inner, scanner.root / os.fsdecode(around)):
        return False
    if not lists.get(around):
        return True
    name = repository[len(around) :]
    listed = git.list_files(scanner.root / os.fsdecode(around), git.ALL, [name])
    return listed is None or bool(listed.raw)


def _ask_git(scanner: Scanner, prefix: bytes, paths: list[bytes], found: Membership) -> None:
    folder = scanner.root / os.fsdecode(prefix)
    names = {path[len(prefix) :]: path for path in paths}
    listed = git.list_files(folder, git.ALL, names)
    if listed is None:
        found.reconcile = True
        return
    ours = names.keys() & set(git.split(listed.raw))
    included = [n for n, path in names.items() if n not in ours and scanner.include.cover(path)]
    if included:
        ignored = git.list_files(folder, git.IGNORED, included)
        ours |= set(included) & set(git.split(ignored.raw) if ignored else ())
    found.paths.update(names[name] for name in ours)
