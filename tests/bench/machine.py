"""On what it was measured: machine, kernel, versions."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from igor_core import __version__
from tests.bench.contestants.neovim import VERSION
from tests.lab.cache import neovim
from tests.support.cli_process import ROOT

#: Programs by name, and the words that make each say its version.
PROGRAMS = {
    "Neovim": [str(neovim(VERSION)), "--version"],
    "OpenSSH": ["ssh", "-V"],
    "rsync": ["rsync", "--version"],
    "unison": ["unison", "-version"],
    "lsyncd": ["lsyncd", "--version"],
    "git": ["git", "--version"],
}
_NUMBER = re.compile(r"\d+\.\d+[\w.]*")


def describe() -> dict[str, str]:
    """Names and values, in the order in which the report lists them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version_of(words)}" for name, words in PROGRAMS.items()]
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB",
        "kernel": platform.release(),
        "versions": ", ".join(versions),
    }


def today() -> str:
    return datetime.date.today().isoformat()


def igor() -> str:
    """igor's version and commit."""
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"{__version__} {done.stdout.strip()}".strip()


def version_of(words: list[str]) -> str:
    """The first number with a point in what the program says of itself."""
    environment = {**os.environ, "NVIM_LOG_FILE": os.devnull}
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        return "(absent)"
    found = _NUMBER.search(done.stdout + done.stderr)
    return found.group() if found else "(unknown)"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
