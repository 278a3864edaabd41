"""One list of names, and what was found of it: a tree is one, or several by repositories inside."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from igor_core.worktree.gitignore import Patterns
from igor_core.worktree.stat_scan import StatScan
from igor_core.worktree.tree import File, with_parents


@dataclass(frozen=True)
class Listing:
    """The names below a folder as git wrote them, or of a walk; `ignored` those to choose from."""

    names: bytes | list[bytes]
    ignored: bytes = b""


@dataclass(frozen=True)
class Repository:
    """`files` are those of the listing that are there, `rest` its other paths.

    `folders` are all above these, the outer ones first; `left_out` are the paths that don't belong
    to the tree all the same. `listing` is None where it isn't known any more what belongs to it.
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
        """The same before it is listed again by other rules."""
        return replace(self, listing=None)

    def relisted(
        self, listing: Listing, listed: Iterable[bytes], dropped: Patterns
    ) -> "Repository":
        """Update by another listing of these paths; its new paths are in the rest."""
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
        """With what a look at all of it has changed."""
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
