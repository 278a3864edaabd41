"""List a folder outside git: all files that no .gitignore in it ignores (gitignore(5))."""

import os
import stat
from pathlib import Path

from igor_core.worktree.gitignore import Patterns
from igor_core.worktree.open_inside import read_small

IGNORE_FILE = b".gitignore"


def unreadable_folders(root: Path, prefix: bytes) -> list[bytes]:
    """Return the folders below `root` that can't be read, with `prefix` in front."""
    top = os.fsencode(root)
    errors: list[OSError] = []
    for _folder, folders, _files in os.walk(top, onerror=errors.append):
        if b".git" in folders:
            folders.remove(b".git")
    return [prefix + os.path.relpath(os.fsencode(error.filename), top) for error in errors]


# The ignore files above a path, outermost first: the folder of each, and its patterns.
_Rules = tuple[tuple[bytes, Patterns], ...]


# By folder: its rules, and whether they ignore a name, as a folder's and as a file's.
_Decided = dict[bytes, tuple[_Rules, dict[tuple[bytes, bool], bool]]]


class Walk:
    """Lists a folder repeatedly, and remembers whether the rules ignore each name.

    The paths are those of all files, and of folders that are repositories. Ignored paths are
    listed only if `include` matches them, with `prefix` in front.
    """

    def __init__(self, root: bytes, prefix: bytes, include: Patterns) -> None:
        self._root = root
        self._prefix = prefix
        self._include = include
        self._rules: dict[bytes, tuple[bytes, Patterns]] = {}
        self._decided: _Decided = {}
        self._before: _Decided = {}

    def paths(self, unreadable: list[bytes]) -> list[bytes]:
        """List paths from the root of the tree; add folders that can't be read to `unreadable`."""
        found: list[bytes] = []
        self._before, self._decided = self._decided, {}
        self._folder(b"", (), False, found, unreadable)
        return found

    def has(self, path: bytes) -> bool:
        """Return whether `paths` would list an existing path: no folder, and in no repository."""
        path = path.removeprefix(self._prefix)
        rules: _Rules = ()
        names, ignored = path.split(b"/"), False
        for depth in range(len(names)):
            folder = b"".join(name + b"/" for name in names[:depth])
            rules = (*rules, *self._own_rules(folder))
            is_folder = depth < len(names) - 1
            ignored = ignored or _ignores(rules, folder + names[depth], is_folder)
        return not ignored or self._include.cover(self._prefix + path)

    def _folder(
        self,
        folder: bytes,
        rules: _Rules,
        ignored: bool,
        found: list[bytes],
        unreadable: list[bytes],
    ) -> None:
        """List one folder ("" or ending with "/"); if it is `ignored`, so is all in it."""
        try:
            with os.scandir(self._root + b"/" + folder) as entries:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError:
            unreadable.append(self._prefix + folder.rstrip(b"/"))
            return
        if IGNORE_FILE in names:
            rules = (*rules, *self._own_rules(folder))
        names.pop(b".git", None)
        decided = self._decisions(folder, rules, len(names))
        for name in sorted(names):
            is_folder, path = names[name], folder + name
            is_ignored = ignored
            if rules and not ignored:
                key = (name, is_folder)
                if key not in decided:
                    decided[key] = _ignores(rules, path, is_folder)
                is_ignored = decided[key]
            if is_folder and not os.path.lexists(self._root + b"/" + path + b"/.git"):
                if not is_ignored or self._include:
                    self._folder(path + b"/", rules, is_ignored, found, unreadable)
            elif not is_ignored or self._include.cover(self._prefix + path):
                found.append(self._prefix + path)

    def _decisions(
        self, folder: bytes, rules: _Rules, count: int
    ) -> dict[tuple[bytes, bool], bool]:
        """Return the rules' verdicts on names in a folder; forget them when names come or go."""
        known = self._before.get(folder)
        if known is None or known[0] != rules or len(known[1]) > 2 * count + 100:
            known = rules, {}
        self._decided[folder] = known
        return known[1]

    def _own_rules(self, folder: bytes) -> _Rules:
        name = os.path.join(self._root, folder, IGNORE_FILE)
        try:
            # Like git, follow no link to an ignore file.
            if not stat.S_ISREG(os.lstat(name).st_mode):
                return ()
        except OSError:
            return ()
        content = read_small(self._root, folder + IGNORE_FILE) or b""
        known = self._rules.get(folder)
        if known is None or known[0] != content:
            known = self._rules[folder] = content, Patterns.read(content)
        return ((folder, known[1]),)


def _ignores(rules: _Rules, path: bytes, is_folder: bool) -> bool:
    """Return whether a path is ignored; the innermost file with a matching pattern decides."""
    for folder, patterns in reversed(rules):
        said = patterns.decide(path[len(folder) :], is_folder)
        if said is not None:
            return said
    return False
