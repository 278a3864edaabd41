"""Deleting files, if they are as expected, and the folders left empty. On hosts (3.6+)."""

import contextlib
import errno
import os

from igor_core.remote.receiver import rename
from igor_core.remote.receiver.expect import Unexpected
from igor_core.remote.receiver.rename import Raced
from igor_core.remote.receiver.tree import Failed

_TRIES = 8


def delete(entry, folders):
    """Delete a path if it is as expected, then those of the folders that are empty."""
    for _ in range(_TRIES):
        try:
            found = entry.look()
        except Unexpected as unexpected:
            if unexpected.state is not None:
                raise
            found = None
        if found is None:
            break
        try:
            _take_out(entry, found)
            break
        except Raced:
            continue
    else:
        raise Failed("it keeps changing on the host")
    for path in folders:
        remove_folder(entry.tree, path)


def _take_out(entry, found):
    folder = entry.make_folder()
    temp = entry.tree.temp(entry.folder, folder)
    try:
        try:
            rename.take_out(temp, folder.descriptor, entry.name, found)
        except OSError as error:
            if error.errno != errno.EXDEV or temp.beside:
                raise
            entry.tree.elsewhere.add(entry.folder)
            raise Raced from None
    finally:
        temp.done()


def remove_folder(tree, path):
    """Remove a folder if it is empty."""
    with contextlib.suppress(OSError, Failed):
        above, _, name = path.rpartition(b"/")
        folder = tree.folder(above).descriptor
        if name not in (b"", b".", b".."):
            os.rmdir(name, dir_fd=folder)
            tree.forget_folders()
