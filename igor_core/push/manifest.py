"""The manifest: what igor itself wrote to a tree on a host.

The intent to write a file is on disk before the file leaves, so that after a crash in the middle
igor still tells its own files on the host from those of others.
"""

from collections.abc import Iterable, Mapping

from igor_core.push.manifest_file import ManifestFile, Settlement
from igor_core.push.record import Record, TreeKey


class Manifest:
    """The records of one tree, in memory and on disk. Methods raise IgorError.

    `written` are the files on the host, `intended` those that may be there. Both change only in
    the event loop's thread, and at once. An intent is on disk when `intend` returns, all else
    after `save`.
    """

    def __init__(self, key: TreeKey) -> None:
        self.key = key
        # How many changes have been recorded since the manifest was opened.
        self.changes = 0
        # How many of these changed the set of paths in `written` and `intended` together.
        self.path_changes = 0
        self.file = ManifestFile(key)
        self.written = self.file.load("written")
        self.intended = self.file.load("intended")
        self._notes = self.file.load_notes()
        self.set_notes(
            {"host": key.host, "port": str(key.port), "user": key.user, "path": key.path}
        )
        self.save()

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """Record that these may be on the host from now on, before they leave. Takes under 1 ms.

        Survives a kill at once, and a power cut after the next sync.
        """
        self.file.write_intents(records)
        self.note_intents(records)

    def write_intents(self, records: Mapping[bytes, Record]) -> None:
        """Write many intents to disk, safe from a power cut. Blocks; any thread may call it.

        `note_intents` has to follow, in the event loop's thread.
        """
        self.file.write_intents(records)
        self.file.sync()

    def note_intents(self, records: Mapping[bytes, Record]) -> None:
        """Take over intents that are on disk already."""
        self.changes += 1
        for path, record in records.items():
            if path not in self.written and path not in self.intended:
                self.path_changes += 1
            self.intended[path] = record

    def wrote(self, records: Mapping[bytes, Record]) -> None:
        """Record that these are on the host."""
        for path, record in records.items():
            self._settle(path, record)
            self.written[path] = record

    def forget(self, paths: Iterable[bytes]) -> None:
        """Record that these are no longer on the host, or no longer igor's."""
        for path in paths:
            self._settle(path, None)
            self.written.pop(path, None)

    def withdraw(self, paths: Iterable[bytes]) -> None:
        """Take back intents that were certainly not carried out."""
        for path in paths:
            if path in self.intended:
                self._settle(path, self.written.get(path))

    def drop(self, intents: Mapping[bytes, Record]) -> None:
        """Take back intents of `write_intents` that were never noted."""
        for path, intent in intents.items():
            self.file.queue(Settlement(path, self.written.get(path), intent))

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Keep short texts about the tree by name; see `note`."""
        self._notes.update(notes)
        self.file.queue_notes(notes)

    def note(self, name: str) -> str:
        """The text that `set_notes` kept under a name; empty if there is none."""
        return self._notes.get(name, "")

    @property
    def is_saved(self) -> bool:
        return self.file.is_saved

    def save(self) -> None:
        """Write to disk what is only in memory. Blocks; may be called in any thread."""
        self.file.save()

    def close(self) -> None:
        self.file.close()

    def _settle(self, path: bytes, record: Record | None) -> None:
        was_known = path in self.written or path in self.intended
        self.file.queue(Settlement(path, record, self.intended.pop(path, None)))
        self.changes += 1
        self.path_changes += was_known is not (record is not None)
