"""Podman on a host: rootless, as the normal user, with the kernel's overlay for its layers."""

import shutil
import subprocess
from collections.abc import Callable

from tests.lab.cache import base_tarball
from tests.lab.command import LabError
from tests.lab.engine import IMAGE
from tests.lab.machine import Machine

# Debian's podman uses vfs by default, which copies the whole image for each container.
STORAGE = """\
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
"""

_TARBALL = "/var/tmp/igor-base.tar"

Podman = Callable[..., "subprocess.CompletedProcess[str]"]


def configure(machine: Machine) -> None:
    folder = machine.path("/etc/containers")
    folder.mkdir(exist_ok=True)
    (folder / "storage.conf").write_text(STORAGE)


def import_base(machine: Machine, podman: Podman) -> None:
    """Load the base image into the user's store, unless it has it."""
    if podman("image", "exists", IMAGE).returncode == 0:
        return
    tar = machine.path(_TARBALL)
    shutil.copyfile(base_tarball(), tar)
    done = podman("import", _TARBALL, IMAGE)
    tar.unlink()
    if done.returncode != 0:
        raise LabError(f"podman can't import the base image: {done.stderr.strip()}")
