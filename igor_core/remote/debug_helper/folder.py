"""The folder of debug sessions, which only its user may enter; one folder for each (3.6)."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import stat

# Set on the host or in the container.
VARIABLE = "TMPDIR"
PLACES = ("/tmp", "/var/tmp", "/dev/shm")


class HelperRefused(Exception):
    """Nothing was started. `what` is a word for programs, `text` a sentence for the user."""

    def __init__(self, what, text, **more):
        Exception.__init__(self, text)
        self.fields = dict(more, what=what, text=text)


def base_folder():
    """Return the folder of this user's sessions, mode 0700; create it if missing."""
    name = "igor-debug-%d" % os.geteuid()
    for place in (os.environ.get(VARIABLE),) + PLACES:
        path = os.path.join(place or "", name)
        # The path of a unix socket has at most 107 bytes.
        if not place or len(path) > 50:
            continue
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        except OSError:
            continue
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o77:
            raise HelperRefused("folder", "%s is not a folder that only this user may enter" % path)
        return path
    raise HelperRefused("folder", "no writable folder among " + ", ".join(PLACES))


def session_folder(ident):
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", ident):
        raise HelperRefused("usage", "%r is no valid session name" % ident)
    return os.path.join(base_folder(), ident)


@contextlib.contextmanager
def in_turn():
    """Serialize starts: of two at once the second finds the first, and ends it."""
    turn = os.open(base_folder(), os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def make_session(ident, group):
    """Create a session's folder; return it and the socket that listens in it."""
    folder = session_folder(ident)
    try:
        join_session(ident).close()
    except OSError:
        # Left by a killed keeper, or from before the container was restarted.
        shutil.rmtree(folder, ignore_errors=True)
    else:
        raise HelperRefused("usage", "the session %s exists already" % ident)
    os.mkdir(folder, 0o700)
    with open(os.path.join(folder, "group"), "w") as file:
        json.dump(group, file)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "socket"))
    listener.listen(16)
    return folder, listener


def join_session(ident):
    """Return a connection to a session's keeper. Raises OSError without one."""
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(os.path.join(session_folder(ident), "socket"))
    except OSError:
        peer.close()
        raise
    return peer


def sessions_of(group):
    """Return a group's sessions that have a keeper, newest last; remove those without."""
    found = []
    base = base_folder()
    for ident in os.listdir(base):
        folder = os.path.join(base, ident)
        try:
            with open(os.path.join(folder, "group")) as file:
                if group is not None and json.load(file) != group:
                    continue
            started = os.stat(folder).st_ctime
            join_session(ident).close()
        except ConnectionRefusedError:
            shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError, HelperRefused):
            continue
        else:
            found.append((started, ident))
    return [ident for _started, ident in sorted(found)]
