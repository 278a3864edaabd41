"""One list of names and the files found for it. Each nested repository adds one to a tree."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from igor_core.worktree.gitignore import Patterns
from igor_core.worktree.stat_scan import StatScan
from igor_core.worktree.tree import File, with_parents


@dataclass(frozen=True)
class Listing:
    """The names below a folder, as git wrote them or as a walk found them.

    `ignored` are git's ignored names, from which `include` chooses.
    """

    names: bytes | list[bytes]
    ignored: bytes = b""


@dataclass(frozen=True)
class Repository:
    """The listed paths: `files` are those that exist as files or links, `rest` the others.

    `folders` are all folders above these, the outer ones first; `left_out` are listed paths that
    `.igor/ignore` or `exclude` remove. `listing` is None until git or a walk lists them (again).
    """

    listing: Listing | None = None
    files: dict[bytes, File] = field(default_factory=dict)
    rest: frozenset[bytes] = frozenset()
    folders: tuple[bytes, ...] = ()
    left_out: frozenset[bytes] = frozenset()

    @property
    def by_git(self) -> bool:
        return self.listing is not None and isinstance(self.listing.names, bytes)

    def unlisted(self) -> "Repository":
        """Return a copy that is to be listed again, by other rules."""
        return replace(self, listing=None)

    def relisted(
        self, listing: Listing, listed: Iterable[bytes], dropped: Patterns
    ) -> "Repository":
        """Return a copy with another listing of these paths; new paths go to `rest`."""
        paths = set(listed)
        left_out: frozenset[bytes]
        if self.listing is None:
            left_out, new = frozenset(), paths
        else:
            left_out = self.left_out & paths
            new = paths - self.files.keys() - self.rest - left_out
        if dropped:
            left_out |= {path for path in new if dropped.cover(path)}
        paths -= left_out
        files = self.files
        if files.keys() - paths:
            files = {path: file for path, file in files.items() if path in paths}
        folders = with_parents({path.rpartition(b"/")[0] for path in paths})
        rest = frozenset(paths - files.keys())
        return Repository(listing, files, rest, tuple(sorted(folders)), left_out)

    def found(self, look: StatScan) -> "Repository":
        """Return a copy with the changes that a look at all paths has found."""
        if not look.now:
            return self
        files, rest = dict(self.files), set(self.rest)
        for path, file in look.now.items():
            if file is None:
                del files[path]
                rest.add(path)
            else:
                files[path] = file
                rest.discard(path)
        return replace(self, files=files, rest=frozenset(rest))
