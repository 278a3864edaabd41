"""A numbered place for one lab, so that several can run at once, and what a crash left in it.

A lock on the slot's file tells a lab that runs from one that died: the kernel lets go of it when
its process ends, whatever the cause. Names on the machine are `igor-labN`, all state is in
`labs/N` of the cache folder.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tests.lab.cache import cache_folder
from tests.lab.command import LabError

SLOTS = 16


class Slot:
    """A slot that this process holds; it is clean when `take` returns it."""

    def __init__(self, index: int, lock: IO[str]) -> None:
        self.index = index
        self.name = f"igor-lab{index}"
        self.folder = _labs() / str(index)
        self.cgroup = f"/{self.name}"
        self._lock = lock

    def remember(self, pid: int) -> None:
        """Record a process that must not outlive the lab if the lab is killed."""
        with (self.folder / "pids").open("a") as file:
            file.write(f"{pid} {_started(pid)}\n")

    def clear(self) -> bool:
        """Remove what a lab left in the slot; return whether it left anything."""
        if not self.folder.exists():
            return False
        for pid in self._living():
            os.kill(pid, signal.SIGKILL)
        _wait_until(lambda: not self._living(), "a process of an earlier lab does not end")
        subprocess.run(["ip", "link", "delete", self.name], capture_output=True, check=False)
        self.remove_files()
        return True

    def remove_files(self) -> None:
        """Remove the slot's folder and control groups, after its processes have ended."""
        for top in _cgroup_tops(self.name):
            is_removed = functools.partial(_remove_cgroup, top)
            _wait_until(is_removed, f"the control group {top} is busy")
        shutil.rmtree(self.folder, ignore_errors=True)

    def release(self) -> None:
        self._lock.truncate(0)
        self._lock.close()

    def _living(self) -> list[int]:
        path = self.folder / "pids"
        lines = path.read_text().splitlines() if path.exists() else []
        pairs = [line.split() for line in lines]
        return [int(pid) for pid, started in pairs if _started(int(pid)) == started]


def take() -> Slot:
    """Take the first free slot, and remove what an earlier lab left in it."""
    for index in range(SLOTS):
        if slot := _try(index):
            slot.clear()
            if Path(f"/sys/class/net/{slot.name}").exists():
                # A lab with another cache folder holds it; the lock is in that folder.
                slot.release()
                continue
            slot.folder.mkdir(mode=0o711)
            return slot
    raise LabError(f"{SLOTS} labs run at once; end one of them first: {'; '.join(in_use())}")


def clear_leftovers() -> list[str]:
    """Remove the leftovers of dead labs; return their names."""
    cleared = []
    for index in range(SLOTS):
        if not _lock_path(index).exists():
            continue
        if slot := _try(index):
            if slot.clear():
                cleared.append(slot.name)
            slot.release()
    return cleared


def in_use() -> list[str]:
    """A phrase for each running lab."""
    return [phrase for index in range(SLOTS) if (phrase := _holder(index))]


def _labs() -> Path:
    folder = cache_folder() / "labs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _lock_path(index: int) -> Path:
    return _labs() / f"{index}.lock"


def _try(index: int) -> Slot | None:
    lock = _lock_path(index).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.truncate(0)
    lock.write(f"igor-lab{index}: process {os.getpid()}, {' '.join(sys.argv)[:100]}")
    lock.flush()
    return Slot(index, lock)


def _holder(index: int) -> str:
    path = _lock_path(index)
    if not path.exists():
        return ""
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return ""
        except BlockingIOError:
            return path.read_text()


def _started(pid: int) -> str:
    """When the process started, in clock ticks: together with its id, it is never reused."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _cgroup_tops(name: str) -> list[Path]:
    """The lab's control groups: one for each controller, or just one in the unified hierarchy."""
    root = Path("/sys/fs/cgroup")
    return [path for path in (root / name, *root.glob(f"*/{name}")) if path.is_dir()]


def _remove_cgroup(top: Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return not top.exists()


def _wait_until(is_done: Callable[[], bool], message: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise LabError(message)
        time.sleep(0.02)
