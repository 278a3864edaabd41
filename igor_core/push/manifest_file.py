"""The manifest on disk: one SQLite file per tree, private and durable."""

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from igor_core import directories
from igor_core.errors import IgorError
from igor_core.push.record import Record, TreeKey
from igor_core.worktree.files import shown

_VERSION = 2
# Rows per transaction: a save waits for one transaction at most, a few milliseconds.
_BATCH_ROWS = 1000
_LONG_LOG = 4 << 20
_RECORDS = """(
    path BLOB PRIMARY KEY, kind TEXT, size INTEGER, mtime_ns INTEGER, mode INTEGER, hash BLOB,
    target BLOB, local_mtime_ns INTEGER, local_ctime_ns INTEGER, local_inode INTEGER
) WITHOUT ROWID"""
_COLUMNS = ", ".join("?" * 10)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value BLOB);
CREATE TABLE IF NOT EXISTS written {_RECORDS};
CREATE TABLE IF NOT EXISTS intended {_RECORDS};
PRAGMA user_version = {_VERSION};
"""


class Settlement(NamedTuple):
    """What became of a path: its record on the host now, and the intent that is done with."""

    path: bytes
    record: Record | None
    intent: Record | None


class ManifestFile:
    """Reads and writes one tree's records. Methods raise IgorError if the file is unusable.

    Intents are written at once; settlements and notes are queued until `save`. After a crash in
    between, the intents that are still on disk tell which files on the host may be igor's.
    """

    def __init__(self, key: TreeKey) -> None:
        self.path = _path_of(key)
        self._key = key
        # The event loop and threads write over the same connection.
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._settlements: list[Settlement] = []
        self._notes: list[tuple[str, str]] = []
        with self._errors():
            self._database = sqlite3.connect(self.path, check_same_thread=False, timeout=20)
            self.path.chmod(0o600)
            self._prepare()

    def _prepare(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise IgorError(
                f"{self.path} was written by a newer igor",
                "update igor on this machine, or remove the file",
            )
        self._database.execute("PRAGMA journal_mode=WAL")
        # A commit does not wait for the disk, since a save would; `sync` and `save` do.
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("PRAGMA wal_autocheckpoint=0")
        if 0 < version < _VERSION:
            # Without records, igor compares by content.
            self._database.executescript("DROP TABLE written; DROP TABLE intended;")
        self._database.executescript(_SCHEMA)

    def load(self, table: str) -> dict[bytes, Record]:
        """The records in the table "written" or "intended"."""
        with self._errors():
            rows = self._database.execute(f"SELECT * FROM {table}")
            return {bytes(row[0]): Record(*row[1:]) for row in rows}

    def load_notes(self) -> dict[str, str]:
        with self._errors():
            rows = self._database.execute("SELECT key, value FROM about")
            return {key: bytes(value).decode("utf-8", "surrogateescape") for key, value in rows}

    def write_intents(self, records: Mapping[bytes, Record]) -> None:
        """Record intents. They survive a kill at once, and a power cut after the next `sync`."""
        rows = list(records.items())
        for at in range(0, len(rows), _BATCH_ROWS):
            with self._transaction():
                self._put_intents(rows[at : at + _BATCH_ROWS])

    def queue(self, settlement: Settlement) -> None:
        """Write this at the next `save`."""
        self._settlements.append(settlement)

    def queue_notes(self, notes: Mapping[str, str]) -> None:
        """Write these at the next `save`."""
        self._notes += notes.items()

    @property
    def is_saved(self) -> bool:
        return not self._settlements and not self._notes

    def save(self) -> None:
        """Write what is queued. Blocks; may be called in any thread."""
        with self._saving:
            while not self.is_saved:
                self._save_batch()
            self._checkpoint()

    def sync(self) -> None:
        """Protect what has been written so far from a power cut. Blocks; any thread may call it."""
        with self._errors(), open(self._log, "rb") as log:
            os.fsync(log.fileno())

    def close(self) -> None:
        with contextlib.suppress(IgorError, sqlite3.ProgrammingError):
            self.save()
        with self._lock:
            self._database.close()

    def _save_batch(self) -> None:
        with self._transaction():
            settlements, notes = self._settlements[:_BATCH_ROWS], self._notes[:]
            self._settle(settlements)
            self._put_notes(notes)
        # More may have been queued meanwhile.
        del self._settlements[: len(settlements)], self._notes[: len(notes)]

    @property
    def _log(self) -> Path:
        """SQLite's write-ahead log, with all changes since the last checkpoint."""
        return self.path.with_name(f"{self.path.name}-wal")

    def _checkpoint(self) -> None:
        """Shorten a long log, over a connection of its own so that no writer waits."""
        with self._errors():
            try:
                size = self._log.stat().st_size
            except FileNotFoundError:
                return  # closed meanwhile
            if size < _LONG_LOG:
                return
            with contextlib.closing(sqlite3.connect(self.path)) as database:
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
            tree = f"{self._key.host}:{shown(os.fsencode(self._key.path))}"
            raise IgorError(
                f"{self.path}: igor's record of {tree} can't be used: {error}",
                "free disk space; if the file is damaged, remove it: igor then compares by content",
            ) from None

    def _put(self, table: str, records: Iterable[tuple[bytes, Record]]) -> None:
        self._database.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES ({_COLUMNS})",
            (
                (
                    path,
                    r.kind,
                    r.size,
                    r.mtime_ns,
                    r.mode,
                    r.hash,
                    r.target,
                    r.local_mtime_ns,
                    r.local_ctime_ns,
                    r.local_inode,
                )
                for path, r in records
            ),
        )

    def _put_intents(self, rows: Sequence[tuple[bytes, Record]]) -> None:
        """Replace earlier intents; a queued record of the same path is written with the new one."""
        queued = {path: record for path, record, _intent in self._settlements[:]}
        last = ((path, queued.get(path)) for path, _intent in rows)
        self._put("written", ((path, record) for path, record in last if record))
        self._put("intended", rows)

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Delete exactly the intents that are settled: a path may have a later one by now."""
        last = {path: record for path, record, _intent in settlements}
        self._database.executemany(
            "DELETE FROM written WHERE path = ?",
            ((path,) for path, record in last.items() if record is None),
        )
        self._put("written", ((path, record) for path, record in last.items() if record))
        self._database.executemany(
            "DELETE FROM intended WHERE path = ? AND size = ? AND mtime_ns = ? AND hash = ?",
            (
                (path, intent.size, intent.mtime_ns, intent.hash)
                for path, _record, intent in settlements
                if intent is not None
            ),
        )

    def _put_notes(self, notes: Sequence[tuple[str, str]]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO about VALUES (?, ?)",
            [(name, text.encode("utf-8", "surrogateescape")) for name, text in notes],
        )


def _path_of(key: TreeKey) -> Path:
    folder = directories.state_directory() / "manifests"
    folder.mkdir(mode=0o700, exist_ok=True)
    words = "\0".join([key.host, str(key.port), key.user, key.path])
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return folder / f"{name}.sqlite"
