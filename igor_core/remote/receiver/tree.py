"""An open tree: its folders, entered without following links, and its temp files. (3.6+)"""

import contextlib
import errno
import itertools
import os
import stat

from igor_core.remote.receiver.own import FOLDER, Unsafe, check_tree
from igor_core.remote.receiver.temp import BESIDE, PREFIX, Temp, is_temp, remove_file, sweep

MOST_FOLDERS = 200
READ_ONLY = "the tree is open to read only"


class Failed(Exception):
    """A failure: the reason, and the topmost path above that is not a folder, if that is why."""

    def __init__(self, reason, obstacle=b""):
        Exception.__init__(self, reason)
        self.reason = reason
        self.obstacle = obstacle


class OpenFolder:
    """An open folder. `group` is the group for new files in it, None for the user's."""

    def __init__(self, descriptor):
        found = os.fstat(descriptor)
        self.descriptor = descriptor
        self.device = found.st_dev
        self.group = found.st_gid if found.st_mode & stat.S_ISGID else None


class TreeHandle:
    """An open tree. `temporary` opens its folder for temp files; None: the tree is only read."""

    def __init__(self, path, temporary=None):
        self.path = path
        self.list = None
        self.temporary = temporary
        self.elsewhere = set()
        self.folders = {}
        self.temps = {}
        self.beside = set()
        self.numbers = itertools.count(1)
        self.temporary_folder = None
        if temporary is not None:
            self.temporary_folder = OpenFolder(temporary.open())

    def is_like(self, other):
        """Whether another handle has the same folders, so that this one is still valid."""
        if (self.path, self.temporary) != (other.path, other.temporary):
            return False
        folders = [tree.temporary_folder for tree in (self, other) if tree.temporary_folder]
        return len({os.fstat(folder.descriptor).st_ino for folder in folders}) <= 1

    def folder(self, path, make=False):
        """The open folder at a path. Raises OSError; Failed with what is in the way.

        It stays open until `forget_folders`. If it is moved away meanwhile, writes go to it as if
        they had come just before.
        """
        found = self.folders.get(path)
        if found is not None:
            return found
        if not path:
            descriptor = self._open_root()
        else:
            above, _, name = path.rpartition(b"/")
            descriptor = self._open(self.folder(above, make), name, path, make)
        if len(self.folders) >= MOST_FOLDERS:
            self.forget_folders()
        found = self.folders[path] = OpenFolder(descriptor)
        return found

    def _open_root(self):
        """Open the root, if it still belongs to the user."""
        descriptor = os.open(self.path, FOLDER | os.O_NOFOLLOW)
        try:
            check_tree(os.fstat(descriptor), self.path)
        except Unsafe as unsafe:
            os.close(descriptor)
            raise Failed(str(unsafe)) from None
        return descriptor

    def _open(self, above, name, path, make):
        try:
            try:
                return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=above.descriptor)
            except FileNotFoundError:
                if not make:
                    raise
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=above.descriptor)
            return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=above.descriptor)
        except OSError as error:
            # Some systems report a link as a loop.
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise Failed(os.strerror(errno.ENOTDIR), path) from None
            raise

    def forget_folders(self):
        """Close the open folders, so that they are opened again by their paths."""
        for folder in self.folders.values():
            os.close(folder.descriptor)
        self.folders.clear()

    def temp(self, path, folder):
        """A free name for a temp file on the file system of the folder at `path`.

        On a file system other than the tree's, it is beside the target, and noted down first so
        that it is removed whatever happens.
        """
        if self.temporary_folder is None:
            raise Failed(READ_ONLY)
        number = b"%d" % next(self.numbers)
        if folder.device == self.temporary_folder.device and path not in self.elsewhere:
            return Temp(self.temps, self.temporary_folder.descriptor, PREFIX + number)
        return self.temp_beside(path, folder)

    def temp_beside(self, path, folder):
        if path not in self.beside:
            self.note_beside(path)
            self.beside.add(path)
        name = BESIDE + PREFIX + b"%d" % next(self.numbers)
        # The folder's own descriptor may be closed before the file is moved.
        return Temp(self.temps, os.dup(folder.descriptor), name, True)

    def note_beside(self, path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        name = PREFIX + b"beside"
        note = os.open(name, flags, 0o600, dir_fd=self.temporary_folder.descriptor)
        with open(note, "ab") as stream:
            stream.write(path + b"\0")

    def make_temporary_again(self):
        """Make the folder for temp files again, after somebody has removed it."""
        try:
            again = OpenFolder(self.temporary.open())
        except Unsafe as unsafe:
            raise Failed(str(unsafe)) from None
        os.close(self.temporary_folder.descriptor)
        self.temporary_folder = again
        self.beside.clear()

    def sweep(self):
        """Remove the temp files of dead receivers."""
        sweep(self.temporary_folder.descriptor, self.remove_beside)

    def remove_beside(self, path, prefix):
        """Remove the temp files beside targets in one folder."""
        try:
            folder = self.folder(path)
            # A descriptor with O_PATH can't be listed.
            listed = os.open(b".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder.descriptor)
        except (OSError, Failed):
            return
        try:
            for name in os.listdir(listed):
                if is_temp(os.fsencode(name), BESIDE + prefix):
                    remove_file(name, listed)
        finally:
            os.close(listed)

    def close(self):
        """Close the tree, and remove its temp files."""
        for temp in list(self.temps.values()):
            temp.remove()
        if self.temporary_folder is not None:
            for path in self.beside:
                self.remove_beside(path, PREFIX)
            if self.beside:
                remove_file(PREFIX + b"beside", self.temporary_folder.descriptor)
            os.close(self.temporary_folder.descriptor)
        self.forget_folders()
