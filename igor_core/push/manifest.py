"""What igor itself wrote to a tree on a host: local, private, durable.

One SQLite file per tree, keyed by what the host's name resolves to and the tree's real path.
The intent is written before anything leaves, so that after a crash in the middle igor still
knows its own files on the host from those of others.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError
from igor_core.push.files import File, shown

_VERSION = 1
_RECORDS = """(
    path BLOB PRIMARY KEY, kind TEXT, size INTEGER, mtime_ns INTEGER, mode INTEGER, hash BLOB,
    target BLOB, local_mtime_ns INTEGER) WITHOUT ROWID"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value BLOB);
CREATE TABLE IF NOT EXISTS written {_RECORDS};
CREATE TABLE IF NOT EXISTS intended {_RECORDS};
PRAGMA user_version = {_VERSION};
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
    """The records of one tree. Changes are on disk when a method returns; all methods block.

    Raises IgorError where the file can't be read or written.
    """

    def __init__(self, key: TreeKey) -> None:
        self.file = _file_of(key)
        self.key = key
        # Work of a cancelled job may still be in its thread when the next one comes.
        self._lock = threading.Lock()
        # Counts what was recorded since the manifest was opened.
        self.changes = 0
        with self._errors():
            self._database = sqlite3.connect(self.file, check_same_thread=False, timeout=20)
            self.file.chmod(0o600)
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise IgorError(
                    f"{self.file} was written by a newer igor",
                    "update igor here, or remove the file",
                )
            self._database.execute("PRAGMA journal_mode=WAL")
            # A power cut must not lose what a host was told to write.
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_SCHEMA)
            self.written = self._load("written")
            self.intended = self._load("intended")
        self.tell({"host": key.host, "port": str(key.port), "user": key.user, "path": key.path})

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """Before sending: these may be on the host from now on."""
        with self._recording(records):
            self._put("intended", records)
            self.intended.update(records)

    def wrote(self, records: Mapping[bytes, Record]) -> None:
        """These are on the host."""
        with self._recording(records):
            self._put("written", records)
            self._drop("intended", records)
            self.written.update(records)
            for path in records:
                self.intended.pop(path, None)

    def forget(self, paths: Iterable[bytes]) -> None:
        """These are no longer on the host, or no longer igor's."""
        paths = list(paths)
        with self._recording(paths):
            self._drop("written", paths)
            self._drop("intended", paths)
            for path in paths:
                self.written.pop(path, None)
                self.intended.pop(path, None)

    def tell(self, values: Mapping[str, str]) -> None:
        """Keep short notes about the tree; see `told`."""
        with self._transaction():
            self._database.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)",
                [
                    (name, value.encode("utf-8", "surrogateescape"))
                    for name, value in values.items()
                ],
            )

    def told(self, name: str) -> str:
        """What `tell` kept under the name; empty where it kept nothing."""
        with self._lock, self._errors():
            found = self._database.execute("SELECT value FROM about WHERE key = ?", (name,))
            row = found.fetchone()
        return bytes(row[0]).decode("utf-8", "surrogateescape") if row else ""

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextlib.contextmanager
    def _recording(self, paths: Collection[bytes]) -> Iterator[None]:
        if not paths:
            yield
            return
        with self._transaction():
            self.changes += 1
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._errors(), self._database:
            yield

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            path = shown(os.fsencode(self.key.path))
            raise IgorError(
                f"{self.file}: igor's record of {self.key.host}:{path} can't be used: {error}",
                "is there room on the disk? Where the file is damaged, remove it: igor then "
                "compares by content",
            ) from None

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
    words = "\0".join([key.host, str(key.port), key.user, key.path])
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return folder / f"{name}.sqlite"
