"""A project's paths, local, on a host and in a container. Only this module joins such paths."""

import posixpath
from dataclasses import dataclass

# Beside the trees, for what isn't the user's: temp files, claims, the containers' home.
PRIVATE = ".igor-host"

#: Where a container sees the folder `HostPaths.run`, read-only, and what is in it.
RUN_FOLDER = "/run/igor"
DEBUG_HELPER = "debug_helper.py"
PROJECT_PYTHON = "python.sh"


@dataclass(frozen=True)
class HostPaths:
    """The folders of one project on one host, as absolute paths on the host."""

    base: str
    project: str

    @classmethod
    def of(cls, configured: str, home: str, project: str) -> "HostPaths":
        """`configured` is the config's `dir`: absolute, or "~/…" relative to `home` on the host."""
        if configured == "~" or configured.startswith("~/"):
            configured = posixpath.join(home, configured[2:])
        return cls(posixpath.normpath(configured), project)

    @property
    def tree(self) -> str:
        return posixpath.join(self.base, self.project)

    @property
    def private(self) -> str:
        return posixpath.join(self.base, PRIVATE)

    @property
    def run(self) -> str:
        """Igor's own programs for containers."""
        return posixpath.join(self.private, "run")

    @property
    def temporary(self) -> str:
        """The folder where files are written before a rename into the tree, on the same disk."""
        return posixpath.join(self.private, "tmp", self.project)


def unsafe_hint(base: str) -> str:
    """The hint if another user of the host may have put something in igor's way."""
    return (
        f"if you can't tell how it came there, ask who may write in {base}; then remove it there, "
        f'or give "dir" a folder of yours; chmod +t {base} keeps others from replacing your folders'
    )
