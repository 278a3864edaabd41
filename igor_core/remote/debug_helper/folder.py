"""Where sessions are found: a folder of the user's alone, in it one for each. Runs there (3.6)."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import stat

# Of the machine or container that the program runs on.
VARIABLE = "TMPDIR"
PLACES = ("/tmp", "/var/tmp", "/dev/shm")


class HelperRefused(Exception):
    """Nothing was started. `what` is a word for programs, the text is for people."""

    def __init__(self, what, text, **more):
        Exception.__init__(self, text)
        self.fields = dict(more, what=what, text=text)


def base_folder():
    """The folder of all sessions of this user, 0700; made where it is not there."""
    name = "igor-debug-%d" % os.geteuid()
    for place in (os.environ.get(VARIABLE),) + PLACES:
        path = os.path.join(place or "", name)
        # Of a unix socket's path 107 bytes are all there are.
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
            raise HelperRefused("folder", "%s is not a folder of this user's alone" % path)
        return path
    raise HelperRefused("folder", "no folder can be written to: " + ", ".join(PLACES))


def session_folder(ident):
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", ident):
        raise HelperRefused("usage", "%r is no name of a session" % ident)
    return os.path.join(base_folder(), ident)


@contextlib.contextmanager
def in_turn():
    """Of two that start at once the second finds the first, and ends it."""
    turn = os.open(base_folder(), os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def make_session(ident, group):
    """A new session's folder, and the socket that listens in it."""
    folder = session_folder(ident)
    try:
        join_session(ident).close()
    except OSError:
        # What a killed one, or the container's earlier life, has left.
        shutil.rmtree(folder, ignore_errors=True)
    else:
        raise HelperRefused("usage", "the session %s is there already" % ident)
    os.mkdir(folder, 0o700)
    with open(os.path.join(folder, "group"), "w") as file:
        json.dump(group, file)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "socket"))
    listener.listen(16)
    return folder, listener


def join_session(ident):
    """A connection to a session's keeper. OSError where there is none."""
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(os.path.join(session_folder(ident), "socket"))
    except OSError:
        peer.close()
        raise
    return peer


def sessions_of(group):
    """The names of a group's sessions that have a keeper, the newest last; others are removed."""
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
