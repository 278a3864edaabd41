"""Records of the files that igor wrote to a host, and the key of the tree that they are in."""

from dataclasses import dataclass

from igor_core.worktree.files import File


@dataclass(frozen=True, slots=True)
class Record:
    """A file that igor wrote, or is about to write, as the host has it.

    `mtime_ns` is the host's, `local_mtime_ns` that of the local file with this content. The two
    differ where igor found an equal file on the host and adopted it. `hash` is the sha256 of the
    content, empty for links.
    """

    kind: str
    size: int
    mtime_ns: int
    mode: int
    hash: bytes
    target: bytes
    local_mtime_ns: int

    @classmethod
    def of(cls, file: File, hash: bytes) -> "Record":
        """The record of a local file with a content of this sha256."""
        return cls(
            kind=file.kind,
            size=file.size,
            mtime_ns=file.mtime_ns,
            mode=file.mode,
            hash=hash,
            target=file.target,
            local_mtime_ns=file.mtime_ns,
        )

    def is_local(self, file: File) -> bool:
        """Whether the local file is still the one that this record was made of."""
        return (self.kind, self.size, self.local_mtime_ns, self.mode, self.target) == (
            file.kind, file.size, file.mtime_ns, file.mode, file.target,
        )  # fmt: skip


@dataclass(frozen=True)
class TreeKey:
    """A tree on a host: HostName, Port and User as resolved by ssh, and the real path."""

    host: str
    port: int
    user: str
    path: str
