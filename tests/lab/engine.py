"""Docker's engine on a host, at its usual socket, with the base image loaded.

The base is imported once; later engines start on a copy of that engine's data. The copy's layers
are hard links, which is safe because an engine never writes into a layer that an image has.
"""

import fcntl
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

from tests.lab.cache import base_tarball, cache_folder
from tests.lab.command import LabError, run, service_environment
from tests.lab.machine import Machine

IMAGE = "igor-base:latest"
PROCESSES = ("dockerd", "containerd")
_SOCKET = "/run/docker.sock"
_STARTUP = 60.0


def start(machine: Machine, cgroup: str, log: Path) -> "subprocess.Popen[bytes]":
    """Start dockerd and wait until it answers."""
    for stale in ("/run/docker.pid", "/run/docker/containerd/containerd.pid"):
        machine.path(stale).unlink(missing_ok=True)
    command = ["dockerd", f"--host=unix://{_SOCKET}", f"--cgroup-parent={cgroup}"]
    command += ["--exec-opt=native.cgroupdriver=cgroupfs", "--log-level=warn"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            machine.enter(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=service_environment(),
            start_new_session=True,
        )
    deadline = time.monotonic() + _STARTUP
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(machine.path(_SOCKET)):
            return process
        time.sleep(0.05)
    raise LabError(f"dockerd did not start; its log says: {log.read_text()[-2000:]}")


def stop(machine: Machine, process: "subprocess.Popen[bytes]") -> None:
    """End dockerd properly, so that its data can be copied."""
    for pid in machine.pids("dockerd"):
        run(["kill", str(pid)])
    process.wait(_STARTUP)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in client.recv(64)
        except OSError:
            return False


def import_base(machine: Machine) -> None:
    """Unpack the base image into a running engine, which is slow."""
    with base_tarball().open("rb") as tar:
        run(machine.enter(["docker", "import", "-", IMAGE]), stdin=tar)


class Template:
    """The data of an engine with the base image, cached for one engine version."""

    def __init__(self) -> None:
        version = run(["dockerd", "--version"]).split()[2].rstrip(",")
        made = int(base_tarball().stat().st_mtime)
        self._folder = cache_folder() / f"engine-{version}-{made}"

    def lock(self) -> IO[str]:
        """A lock, held until closed, while a template is made: two labs may start at once."""
        handle = (cache_folder() / "engine.lock").open("w")
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle

    def exists(self) -> bool:
        return self._folder.exists()

    def keep(self, data: Path) -> None:
        """Take the data of an engine that was ended properly."""
        for old in cache_folder().glob("engine-*-*"):
            shutil.rmtree(old)
        partial = self._folder.with_suffix(".partial")
        _copy(data, partial)
        partial.rename(self._folder)

    def copy_to(self, data: Path) -> None:
        _copy(self._folder, data)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(mode=0o711)
    run(["cp", "-a", "--link", str(source / "overlay2"), str(target)])
    rest = [str(part) for part in source.iterdir() if part.name != "overlay2"]
    run(["cp", "-a", *rest, str(target)])
