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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError
from igor_core.worktree.files import File, shown

_VERSION = 1
# Rows a transaction: a save never waits longer than one takes, a few milliseconds.
_AT_ONCE = 1000
_LONG_LOG = 4 << 20
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


# (path, what is written there now or None, the intent that this settles or None)
_Settlement = tuple[bytes, Record | None, Record | None]


class Manifest:
    """The records of one tree, in memory and on disk. Raises IgorError where the file is no good.

    `written` and `intended` are changed in the thread of the event loop only, and at once. An
    intent is on disk before `intend` returns; what became of it is, after `save`. What a crash
    takes of that is found again by the intent, which stays until then.
    """

    def __init__(self, key: TreeKey) -> None:
        self.file = _file_of(key)
        self.key = key
        # The event loop and threads write by the same connection.
        self._lock = threading.Lock()
        # Counts what was recorded since the manifest was opened.
        self.changes = 0
        # The same for the set of paths in `written` and `intended` together.
        self.names = 0
        self._unsaved: list[_Settlement] = []
        self._untold: list[tuple[str, str]] = []
        self._saving = threading.Lock()
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
            # No commit waits for the disk: a save would. `sync` and `save` do so on their own.
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute("PRAGMA wal_autocheckpoint=0")
            self._database.executescript(_SCHEMA)
            self.written = self._load("written")
            self.intended = self._load("intended")
            self._told = self._load_told()
        self.tell({"host": key.host, "port": str(key.port), "user": key.user, "path": key.path})
        self.save()

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """Before sending: these may be on the host from now on. For a few; takes no milliseconds.

        It survives a kill at once, and a power cut after the next `sync`.
        """
        with self._transaction():
            self._put_intents(list(records.items()))
        self.intends(records)

    def record_intents(self, records: Mapping[bytes, Record]) -> None:
        """`intend` for many, in any thread, but for what is in memory: `intends` follows."""
        rows = list(records.items())
        for at in range(0, len(rows), _AT_ONCE):
            with self._transaction():
                self._put_intents(rows[at : at + _AT_ONCE])
        self.sync()

    def intends(self, records: Mapping[bytes, Record]) -> None:
        """These are intended, and on disk already."""
        self.changes += 1
        for path, record in records.items():
            if path not in self.written and path not in self.intended:
                self.names += 1
            self.intended[path] = record

    def wrote(self, records: Mapping[bytes, Record]) -> None:
        """These are on the host. `save` makes it last."""
        for path, record in records.items():
            self._settled(path, record)
            self.written[path] = record

    def forget(self, paths: Iterable[bytes]) -> None:
        """These are no longer on the host, or no longer igor's. `save` makes it last."""
        for path in paths:
            self._settled(path, None)
            self.written.pop(path, None)

    def withdraw(self, paths: Iterable[bytes]) -> None:
        """What was intended there did not happen. `save` makes it last."""
        for path in paths:
            if path in self.intended:
                self._settled(path, self.written.get(path))

    def drop(self, intents: Mapping[bytes, Record]) -> None:
        """What `record_intents` has put on disk, and nobody has begun. `save` makes it last."""
        for path, intent in intents.items():
            self._unsaved.append((path, self.written.get(path), intent))

    def _settled(self, path: bytes, record: Record | None) -> None:
        known = path in self.written or path in self.intended
        self._unsaved.append((path, record, self.intended.pop(path, None)))
        self.changes += 1
        self.names += known is not (record is not None)

    def tell(self, values: Mapping[str, str]) -> None:
        """Keep short notes about the tree; see `told`. `save` makes it last."""
        self._told.update(values)
        self._untold += values.items()

    def told(self, name: str) -> str:
        """What `tell` kept under the name; empty where it kept nothing."""
        return self._told.get(name, "")

    @property
    def is_saved(self) -> bool:
        return not self._unsaved and not self._untold

    def save(self) -> None:
        """Put on disk what is only in memory. Blocks; in any thread."""
        with self._saving:
            self._save()
            self._shorten_log()

    def _save(self) -> None:
        while not self.is_saved:
            with self._transaction():
                settled, notes = self._unsaved[:_AT_ONCE], self._untold[:]
                self._settle(settled)
                self._note(notes)
            # Others may have been added since.
            del self._unsaved[: len(settled)], self._untold[: len(notes)]

    def sync(self) -> None:
        """A power cut must not lose what is on disk so far. Blocks; in any thread."""
        with self._errors(), open(self._log, "rb") as log:
            os.fsync(log.fileno())

    def close(self) -> None:
        with contextlib.suppress(IgorError, sqlite3.ProgrammingError):
            self.save()
        with self._lock:
            self._database.close()

    @property
    def _log(self) -> Path:
        """SQLite's write-ahead log: all since the last checkpoint."""
        return self.file.with_name(f"{self.file.name}-wal")

    def _shorten_log(self) -> None:
        """By a connection of its own: whoever writes meanwhile does not wait."""
        with self._errors():
            try:
                size = self._log.stat().st_size
            except FileNotFoundError:
                return  # closed meanwhile
            if size < _LONG_LOG:
                return
            with contextlib.closing(sqlite3.connect(self.file)) as database:
                database.execute("PRAGMA wal_checkpoint(PASSIVE)")

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

    def _load_told(self) -> dict[str, str]:
        rows = self._database.execute("SELECT key, value FROM about")
        return {key: bytes(value).decode("utf-8", "surrogateescape") for key, value in rows}

    def _put(self, table: str, records: Iterable[tuple[bytes, Record]]) -> None:
        self._database.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (path, r.kind, r.size, r.mtime_ns, r.mode, r.hash, r.target, r.local_mtime_ns)
                for path, r in records
            ),
        )

    def _put_intents(self, rows: Sequence[tuple[bytes, Record]]) -> None:
        """One intent takes the place of another: what that has become must be on disk with it."""
        unsaved = {path: record for path, record, _intent in self._unsaved[:]}
        last = ((path, unsaved.get(path)) for path, _intent in rows)
        self._put("written", ((path, record) for path, record in last if record))
        self._put("intended", rows)

    def _settle(self, settled: Sequence[_Settlement]) -> None:
        """Of the intents just those that are settled: by now there may be a later one."""
        last = {path: record for path, record, _intent in settled}
        self._database.executemany(
            "DELETE FROM written WHERE path = ?",
            ((path,) for path, record in last.items() if record is None),
        )
        self._put("written", ((path, record) for path, record in last.items() if record))
        self._database.executemany(
            "DELETE FROM intended WHERE path = ? AND size = ? AND mtime_ns = ? AND hash = ?",
            (
                (path, intent.size, intent.mtime_ns, intent.hash)
                for path, _record, intent in settled
                if intent is not None
            ),
        )

    def _note(self, notes: Sequence[tuple[str, str]]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO about VALUES (?, ?)",
            [(name, text.encode("utf-8", "surrogateescape")) for name, text in notes],
        )


def _file_of(key: TreeKey) -> Path:
    folder = directories.state_directory() / "manifests"
    folder.mkdir(mode=0o700, exist_ok=True)
    words = "\0".join([key.host, str(key.port), key.user, key.path])
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return folder / f"{name}.sqlite"
