"""Run code where it can't take more than its share of processor and memory."""

import resource
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
SECONDS = 20
BYTES = 1 << 30


def run(code: str, *args: str, stdin: bytes = b"", seconds: int = SECONDS) -> bytes:
    """What the code printed; AssertionError where it raised or went beyond the limits."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        input=stdin,
        cwd=REPO,
        capture_output=True,
        preexec_fn=lambda: _limit(seconds),
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace")[-2000:]
    assert done.returncode == 0, f"ended with {done.returncode}: {said}"
    return done.stdout


def _limit(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
