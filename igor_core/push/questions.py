"""The texts of the questions that a push asks, and of the answer No."""

from collections.abc import Sequence

from igor_core.errors import HostError
from igor_core.worktree.files import shown

# Paths named in a question.
NAMED = 5


def delete_question(host: str, count: int, of: int) -> str:
    return f"delete {count} of the {of} files that igor pushed to {host}?"


def deletes_declined(host: str, count: int, of: int) -> HostError:
    return HostError(
        f"{host}: this push would delete {count} of the {of} files pushed before; nothing was done",
        "list them: igor push --dry-run; then: igor push --allow-deletes",
    )


def overwrite_question(host: str, tree: str, paths: Sequence[bytes]) -> str:
    """Ask about files that igor did not write, in a tree that it never pushed to."""
    names = ", ".join(shown(path) for path in paths[:NAMED])
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
    return (
        f"{host}: {tree} has {files} that igor did not write and that differ from yours: "
        f"{names}{more}; overwrite?"
    )
