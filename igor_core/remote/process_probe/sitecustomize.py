"""Written by igor, which starts programs with this folder in PYTHONPATH. Must work in any Python.

Lets `igor stack` ask the program for its stacks: on a signal that nothing else uses, faulthandler
writes them to a file without a name. Then it removes its traces: the folder leaves sys.path, and
the sitecustomize that Python would have imported runs, if there is one.
"""


def _register():
    import faulthandler
    import os

    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    try:
        first = os.memfd_create("igor-stack")
        file = os.open("/proc/self/fd/%d" % first, flags)
        os.close(first)
    except (AttributeError, OSError):
        path = "/dev/shm/.igor-stack-%d" % os.getpid()
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(path)
    faulthandler.register(63, file=_moved(file), all_threads=True)


def _moved(file):
    """Move the file to a high descriptor: programs expect the low ones for their own files."""
    import os

    for number in range(240, 250):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(file, number, inheritable=False)
            os.close(file)
            return number
    return file


def _leave():
    import os
    import sys

    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != own]
    sys.path_importer_cache.pop(own, None)
    sys.modules.pop("sitecustomize", None)


try:
    _register()
except Exception:
    pass
_leave()
import sitecustomize
