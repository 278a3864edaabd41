"""What igor itself wrote to a tree on a host: local, private, durable.

One SQLite file per tree, keyed by what the host's name resolves to and the tree's real path.
The intent is written before anything leaves, so that after a crash in the middle igor still
knows its own files on the host from those of others.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from igor_core import directories
from igor_core.push.files import File

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS written (
    path BLOB PRIMARY KEY, kind TEXT, size INTEGER, mtime_ns INTEGER, mode INTEGER, hash BLOB,
    target BLOB, local_mtime_ns INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intended (
    path BLOB PRIMARY KEY, kind TEXT, size INTEGER, mtime_ns INTEGER, mode INTEGER, hash BLOB,
    target BLOB, local_mtime_ns INTEGER) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A file that igor wrote, or means to write: as the host has it.

    `mtime_ns` is the host's, `local_mtime_ns` that of the local file with this content: they
    differ where an equal file was found on the host and taken over. `hash` is sha256 of the
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
    def of(cls, file: File, content: bytes) -> "Record":
        return cls(
            file.kind, file.size, file.mtime_ns, file.mode, content, file.target, file.mtime_ns
        )

    def is_local(self, file: File) -> bool:
        """Whether the local file is still the one that this record was made of."""
        return (self.kind, self.size, self.local_mtime_ns, self.mode, self.target) == (
            file.kind, file.size, file.mtime_ns, file.mode, file.target,
        )  # fmt: skip


@dataclass(frozen=True)
class TreeKey:
    """Which tree on which host: HostName, Port and User as resolved, and the real path."""

    host: str
    port: int
    user: str
    path: str


class Manifest:
    """The records of one tree. Changes are on disk when a method returns."""

    def __init__(self, key: TreeKey) -> None:
        self.file = _file_of(key)
        self._database = sqlite3.connect(self.file, check_same_thread=False)
        self.file.chmod(0o600)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        with self._database:
            for name in ("host", "port", "user", "path"):
                self._tell(name, str(getattr(key, name)))
        self.written = self._load("written")
        self.intended = self._load("intended")

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """Before sending: these may be on the host from now on."""
        with self._database:
            self._put("intended", records)
        self.intended.update(records)

    def wrote(self, records: Mapping[bytes, Record]) -> None:
        """These are on the host."""
        with self._database:
            self._put("written", records)
            self._drop("intended", records)
        self.written.update(records)
        for path in records:
            self.intended.pop(path, None)

    def forget(self, paths: Iterable[bytes]) -> None:
        """These are no longer on the host, or no longer igor's."""
        paths = list(paths)
        with self._database:
            self._drop("written", paths)
            self._drop("intended", paths)
        for path in paths:
            self.written.pop(path, None)
            self.intended.pop(path, None)

    def clear(self) -> None:
        """The tree on the host is another one: nothing that was known counts."""
        self.forget([*self.written, *self.intended])

    def tell(self, name: str, value: str) -> None:
        with self._database:
            self._tell(name, value)

    def told(self, name: str) -> str:
        """What `tell` kept under the name; empty where it kept nothing."""
        row = self._database.execute("SELECT value FROM about WHERE key = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        self._database.close()

    def _tell(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def _load(self, table: str) -> dict[bytes, Record]:
        rows = self._database.execute(f"SELECT * FROM {table}")
        return {bytes(row[0]): Record(*row[1:]) for row in rows}

    def _put(self, table: str, records: Mapping[bytes, Record]) -> None:
        self._database.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (path, r.kind, r.size, r.mtime_ns, r.mode, r.hash, r.target, r.local_mtime_ns)
                for path, r in records.items()
            ),
        )

    def _drop(self, table: str, paths: Iterable[bytes]) -> None:
        self._database.executemany(
            f"DELETE FROM {table} WHERE path = ?", ((path,) for path in paths)
        )


def _file_of(key: TreeKey) -> Path:
    folder = directories.state_directory() / "manifests"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256("\0".join([key.host, str(key.port), key.user, key.path]).encode(
        "utf-8", "surrogateescape")).hexdigest()[:32]  # fmt: skip
    return folder / f"{name}.sqlite"
