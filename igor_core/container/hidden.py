"""Files of the image that the mount of the code hides, under the workspace."""

import os
import posixpath
from collections.abc import Iterable

from igor_core.container.shell import Shell
from igor_core.runtime import Runtime

_LIST = """\
cd -- "$1" 2>/dev/null || exit 0
command -v find >/dev/null && exec find . -mindepth 1 -maxdepth 3 -print0
printf './%s\\0' * .*
"""


async def hidden_by_mount(
    shell: Shell, runtime: Runtime, image: str, workspace: str, pushed: Iterable[bytes]
) -> tuple[str, ...]:
    """Return the topmost paths, from the workspace, in the image but not in the pushed tree.

    Looks three levels deep. Call it right after a build, when the image has the project's files
    as pushed. Runs one short-lived container on the host; empty if that fails.
    """
    done = await shell.run(runtime.throw_away(image, _LIST, workspace))
    return not_in_tree(done.stdout, pushed)


def not_in_tree(listing: bytes, pushed: Iterable[bytes]) -> tuple[str, ...]:
    """Return the topmost of the listed paths ('./path NUL') that are not in the tree."""
    known = {b""}
    for path in pushed:
        while path and path not in known:
            known.add(path)
            path = posixpath.dirname(path)
    listed = (item[2:] for item in listing.split(b"\0"))
    strange = (
        path
        for path in listed
        if path not in known
        and posixpath.basename(path) not in (b".", b"..", b"*", b"__pycache__")
        and posixpath.dirname(path) in known
    )
    return tuple(sorted(os.fsdecode(path) for path in strange))
