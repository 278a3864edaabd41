"""Files that come in chunks: checked first, and again when they are whole. On hosts (3.6+)."""

import os

from igor_core.remote.receiver import files
from igor_core.remote.receiver.expect import Refused, content_hash
from igor_core.remote.receiver.rename import look
from igor_core.remote.receiver.tree import Failed


class IncomingFile:
    """A file of which not all has arrived. Raises Refused, Failed, OSError."""

    def __init__(self, place, size):
        self.place = place
        self.left = size
        place.make_way()
        self.temp = place.new_temp()
        try:
            self.descriptor = self.temp.open()
        except FileNotFoundError:
            self.temp.done()
            place.tree.make_temporary_again()
            self.temp = place.new_temp()
            self.descriptor = self.temp.open()

    def take(self, chunk):
        self.left -= len(chunk)
        files.write_all(self.descriptor, chunk)

    def commit(self):
        """The state of the file that is there now."""
        if self.left != 0:
            raise Failed("not all of it has arrived")
        try:
            found = self.place.make_way()
        except Refused as refused:
            if not self._is_equal(refused):
                raise
            state = files.leave(self.place, refused.state)
            self.abort()
            return state
        files.finish(self.place, self.temp, self.descriptor, found)
        self._close()
        return files.publish(self.place, self.temp, found)

    def _is_equal(self, refused):
        """Whether what nobody expected is just what has arrived."""
        if not refused.content:
            return False
        arrived = look(self.temp.folder, self.temp.name)
        found, content = content_hash(self.temp.folder, self.temp.name, arrived)
        return refused.state[1] == found.st_size and refused.content == content

    def _close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def abort(self):
        self._close()
        if self.temp.name in self.place.tree.temps:
            self.temp.remove()
