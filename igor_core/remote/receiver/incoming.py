"""Files that come in chunks: checked first, and again when all has arrived. On hosts (3.6+)."""

import os

from igor_core.remote.receiver import files
from igor_core.remote.receiver.expect import Unexpected, content_hash
from igor_core.remote.receiver.rename import look
from igor_core.remote.receiver.tree import Failed


class IncomingFile:
    """A file that is being uploaded. Methods raise Unexpected, Failed, OSError."""

    def __init__(self, entry, size):
        self.entry = entry
        self.left = size
        entry.make_way()
        self.temp = entry.new_temp()
        try:
            self.descriptor = self.temp.open()
        except FileNotFoundError:
            self.temp.done()
            entry.tree.make_temporary_again()
            self.temp = entry.new_temp()
            self.descriptor = self.temp.open()

    def take(self, chunk):
        self.left -= len(chunk)
        files.write_all(self.descriptor, chunk)

    def commit(self):
        """Move the file to its path; return its state."""
        if self.left != 0:
            raise Failed("not all of it has arrived")
        try:
            found = self.entry.make_way()
        except Unexpected as unexpected:
            if not self._is_equal(unexpected):
                raise
            state = files.leave(self.entry, unexpected.state)
            self.abort()
            return state
        files.finish(self.entry, self.temp, self.descriptor, found)
        self._close()
        return files.publish(self.entry, self.temp, found)

    def _is_equal(self, unexpected):
        """Whether the unexpected file has just the content that has arrived."""
        if not unexpected.content:
            return False
        arrived = look(self.temp.folder, self.temp.name)
        found, content = content_hash(self.temp.folder, self.temp.name, arrived)
        return unexpected.state[1] == found.st_size and unexpected.content == content

    def _close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def abort(self):
        self._close()
        if self.temp.name in self.entry.tree.temps:
            self.temp.remove()
