"""Records of the files that igor wrote to a host, and the key of the tree that they are in."""

from dataclasses import dataclass, replace

from igor_core.worktree.files import File


@dataclass(frozen=True, slots=True)
class Record:
    """A file that igor wrote, or is about to write, as the host has it.

    `mtime_ns` is the host's; what begins with `local_` is of the local file with this content. The
    two times differ where igor found an equal file on the host and adopted it, or where only the
    local time has changed. `hash` is the sha256 of the content, empty for links.
    """

    kind: str
    size: int
    mtime_ns: int
    mode: int
    hash: bytes
    target: bytes
    local_mtime_ns: int
    local_ctime_ns: int = 0
    local_inode: int = 0

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
            local_ctime_ns=file.ctime_ns,
            local_inode=file.inode,
        )

    def is_local(self, file: File) -> bool:
        """Whether the local file is still the one that this record was made of."""
        return (self.local_mtime_ns, self.local_ctime_ns, self.local_inode) == (
            file.mtime_ns, file.ctime_ns, file.inode,
        ) and self.fits(file)  # fmt: skip

    def fits(self, file: File) -> bool:
        """Whether a file can have the recorded content, whatever its times are."""
        return (self.kind, self.size, self.mode, self.target) == (
            file.kind, file.size, file.mode, file.target,
        )  # fmt: skip

    def seen_as(self, file: File) -> "Record":
        """The record with the times and the inode of a local file that has this content."""
        return replace(
            self, local_mtime_ns=file.mtime_ns, local_ctime_ns=file.ctime_ns, local_inode=file.inode
        )


@dataclass(frozen=True)
class TreeKey:
    """A tree on a host: HostName, Port and User as resolved by ssh, and the real path."""

    host: str
    port: int
    user: str
    path: str
