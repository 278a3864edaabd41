"""The one folder outside the checkout: Neovims, the base image and running labs are in it."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder that install.sh also fills: `$IGOR_CACHE`, else igor-tests in the user's cache."""
    if chosen := os.environ.get("IGOR_CACHE"):
        return Path(chosen).absolute()
    parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent) / "igor-tests"


def neovim(version: str) -> Path:
    """The path where install.sh puts a Neovim (`0.10` or `0.12`)."""
    return cache_folder() / f"nvim-{version}" / "bin" / "nvim"


def late_program(name: str) -> Path:
    """The path of a later Debian's python3.14 or gdb, from install.sh, to mount at /opt/NAME."""
    return cache_folder() / name


def base_tarball() -> Path:
    """The root file system that engines import as `igor-base:latest`."""
    return cache_folder() / "igor-base.tar"
