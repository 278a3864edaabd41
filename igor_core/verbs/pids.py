"""Arguments that name processes."""

from igor_core.errors import UsageError
from igor_core.verbs.job import Job

MOST = 1 << 22  # proc(5), pid_max


def pid_argument(job: Job) -> int | None:
    """One process, None where none is named. Raises UsageError."""
    found = job.args.get("pid")
    if isinstance(found, str) and found.isdecimal():
        found = int(found)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= MOST:
        raise UsageError(f"{job.verb}: {found!r} is not the number of a process")
    return found


def pids_argument(job: Job) -> list[int] | None:
    pid = pid_argument(job)
    return None if pid is None else [pid]
