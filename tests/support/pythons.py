"""The local Pythons, from 3.6 on."""

import shutil
import subprocess
from pathlib import Path


def pythons() -> list[Path]:
    """Return all candidates: those on the PATH, and pyenv's."""
    found = [Path(f"python3.{minor}") for minor in range(6, 20)]
    pyenv = shutil.which("pyenv")
    if pyenv:
        found += Path(pyenv).parents[1].glob("versions/3.*/bin/python3")
    return found


def version(python: Path) -> tuple[tuple[int, ...], Path] | None:
    """Return its version, or None if it is older than 3.6 or doesn't run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = tuple(map(int, done.stdout.split()))
    return (found, python) if done.returncode == 0 and found >= (3, 6) else None
