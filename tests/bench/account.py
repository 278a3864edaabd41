"""The CPU time of all that a contestant runs on this machine: by control group, else by processes.

A control group counts every process that ever was in it, to the nanosecond, dead ones too.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

_EMPTY_SECONDS = 5.0


class Account(Protocol):
    """`how` says in the report where the times come from."""

    how: str

    def spent_ns(self) -> int:
        """CPU time until now, user and system, in nanoseconds."""

    def enter(self, pid: int) -> None:
        """From now on this process counts, and all that it starts."""

    def close(self) -> None:
        """Remove what was made for counting; the processes have ended."""


class CgroupAccount:
    """A control group of version 1 (cpuacct) or 2, made for one contestant."""

    def __init__(self, parent: Path, name: str) -> None:
        self._folder = parent / name
        self._folder.mkdir()
        self._is_v1 = (self._folder / "cpuacct.usage").exists()
        self.how = f"control group (version {1 if self._is_v1 else 2})"

    def spent_ns(self) -> int:
        if self._is_v1:
            return int((self._folder / "cpuacct.usage").read_text())
        return usage_ns((self._folder / "cpu.stat").read_text())

    def enter(self, pid: int) -> None:
        (self._folder / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        """The kernel may take a moment to see that the last process is gone."""
        deadline = time.monotonic() + _EMPTY_SECONDS
        while self._folder.exists():
            try:
                self._folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


class ProcessAccount:
    """Living processes by the scheduler's statistics, and ended ones as their parent had them.

    A detached process that starts and ends unseen is missed.
    """

    how = "summed over processes (no control group)"

    def __init__(self, living: Callable[[], Iterable[int]], ended_ns: Callable[[], int]) -> None:
        self._living = living
        self._ended_ns = ended_ns

    def spent_ns(self) -> int:
        return self._ended_ns() + sum(map(_run_ns, self._living()))

    def enter(self, pid: int) -> None:
        """Nothing to do: processes are found by their environment."""

    def close(self) -> None:
        """Nothing was made."""


def usage_ns(cpu_stat: str) -> int:
    """The total in a version 2 group's cpu.stat, which counts microseconds."""
    fields = dict(line.split() for line in cpu_stat.splitlines())
    return int(fields["usage_usec"]) * 1000


def cgroup_parent(mounts: str) -> Path | None:
    """Where groups that count CPU time can be made, by the text of /proc/self/mounts.

    Version 1's cpuacct first: beside it, version 2 may be mounted without any controller.
    """
    lines = [line.split() for line in mounts.splitlines()]
    for _source, place, kind, options, *_ in lines:
        if kind == "cgroup" and "cpuacct" in options.split(","):
            return Path(place)
    for _source, place, kind, *_ in lines:
        if kind == "cgroup2":
            return Path(place)
    return None


def open_account(
    name: str, living: Callable[[], Iterable[int]], ended_ns: Callable[[], int]
) -> Account:
    """The best account that this machine allows; `name` is unique on it."""
    parent = cgroup_parent(Path("/proc/self/mounts").read_text())
    if parent is not None and os.access(parent, os.W_OK):
        try:
            return CgroupAccount(parent, name)
        except OSError:
            pass  # mounted read-only, as in containers
    return ProcessAccount(living, ended_ns)


def _run_ns(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except OSError:
        return 0  # ended meanwhile; its parent has counted it
