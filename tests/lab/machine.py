"""A host's namespaces from the outside: start, enter, look into, end."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.command import LabError, service_environment

INIT = Path(__file__).with_name("machine_init.py")
#: From ioctl_ns(2).
NS_GET_PARENT = 0xB702
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid")


@dataclass(frozen=True)
class MachineOptions:
    """What machine_init makes, see its docstring."""

    name: str
    folder: str
    user: str
    uid: int
    docker: bool
    python: bool


class Machine:
    """The namespaces of one host, alive as long as its init, which lives as long as this process.

    `pid` is the init's id as seen from outside.
    """

    def __init__(self, options: MachineOptions) -> None:
        command = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc"]
        command += [sys.executable, "-I", str(INIT), json.dumps(asdict(options))]
        self._unshare = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=service_environment(),
            start_new_session=True,
        )
        assert self._unshare.stdout is not None
        if self._unshare.stdout.readline() != b"ready\n":
            assert self._unshare.stderr is not None
            said = self._unshare.stderr.read().decode(errors="replace")
            raise LabError(f"host {options.name} did not start: {said.strip()}")
        outer = self._unshare.pid
        self.pid = int(Path(f"/proc/{outer}/task/{outer}/children").read_text())

    def close(self) -> None:
        """End every process of the host; return when the last one is gone."""
        self._unshare.communicate()

    def enter(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` as root in all namespaces of the host."""
        self._assert_alive()
        return ["nsenter", f"--target={self.pid}", *NAMESPACES, "--", *argv]

    def enter_network(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` on the local machine, in the host's network only."""
        self._assert_alive()
        return ["nsenter", f"--target={self.pid}", "--net", "--", *argv]

    def _assert_alive(self) -> None:
        """Check that the host lives: a dead host's pid may now be another local process's."""
        if self._unshare.poll() is not None:
            raise LabError("the host's namespaces are gone: something has killed its init")

    def path(self, inside: str) -> Path:
        """An absolute path on the host, as a path that this process can open."""
        self._assert_alive()
        return Path(f"/proc/{self.pid}/root", inside.lstrip("/"))

    def pids(self, *names: str) -> list[int]:
        """Local ids of processes with these names (/proc/PID/comm), also in containers."""
        namespace = os.stat(f"/proc/{self.pid}/ns/pid").st_ino
        return [
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and _belongs(process, namespace, names)
        ]

    def kill(self, *names: str) -> None:
        """Kill the host's processes with one of these names."""
        for pid in self.pids(*names):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended with the one killed before it


def _belongs(process: Path, namespace: int, names: Sequence[str]) -> bool:
    try:
        if (process / "comm").read_text().strip() not in names:
            return False
        own = os.open(process / "ns" / "pid", os.O_RDONLY)
    except OSError:
        return False  # gone meanwhile
    return _is_within(own, namespace)


def _is_within(descriptor: int, namespace: int) -> bool:
    """Whether a process namespace is the other one, or a container's inside it."""
    try:
        if os.fstat(descriptor).st_ino == namespace:
            return True
        parent = fcntl.ioctl(descriptor, NS_GET_PARENT)
    except PermissionError:
        return False  # the local machine's own
    finally:
        os.close(descriptor)
    return _is_within(parent, namespace)
