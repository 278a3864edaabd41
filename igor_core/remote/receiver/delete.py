"""Deleting what is expected there, and the folders that it leaves empty. On hosts (3.6+)."""

import contextlib
import errno
import os

from igor_core.remote.receiver import rename
from igor_core.remote.receiver.expect import Refused
from igor_core.remote.receiver.rename import Raced
from igor_core.remote.receiver.tree import Failed

_TRIES = 8


def delete(place, folders):
    """Delete what is expected there, then the folders that are empty. None: nothing is there."""
    for _ in range(_TRIES):
        try:
            found = place.look()
        except Refused as refused:
            if refused.state is not None:
                raise
            found = None
        if found is None:
            break
        try:
            _take_out(place, found)
            break
        except Raced:
            continue
    else:
        raise Failed("it keeps changing there")
    for path in folders:
        remove_folder(place.tree, path)


def _take_out(place, found):
    folder = place.make_folder()
    temp = place.tree.temp(place.folder, folder)
    try:
        try:
            rename.take_out(temp, folder.descriptor, place.name, found)
        except OSError as error:
            if error.errno != errno.EXDEV or temp.beside:
                raise
            place.tree.elsewhere.add(place.folder)
            raise Raced from None
    finally:
        temp.done()


def remove_folder(tree, path):
    """If it is an empty folder; otherwise it stays."""
    with contextlib.suppress(OSError, Failed):
        above, _, name = path.rpartition(b"/")
        folder = tree.folder(above).descriptor
        if name not in (b"", b".", b".."):
            os.rmdir(name, dir_fd=folder)
            tree.forget_folders()
