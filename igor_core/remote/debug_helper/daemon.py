"""Start the keeper as a daemon (3.6)."""

import os

from igor_core.remote.debug_helper.env_marks import MARK_ID, end_marked
from igor_core.remote.debug_helper.keeper import Keeper


def keep(options, folder, listener):
    """Run a keeper in a session of its own, with no file of the caller's open but `listener`."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    status = 70
    try:
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT, 0o600)
        for descriptor, target in ((null, 0), (null, 1), (log, 2)):
            os.dup2(descriptor, target)
        Keeper(options, folder, listener).run()
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        end_marked(MARK_ID, options.id)
        os._exit(status)
