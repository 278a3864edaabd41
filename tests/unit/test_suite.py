"""The suite itself: it does not depend on what its parent leaves it."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CTRL_C = "tests/unit/cli/test_session.py::test_the_first_signal_cancels_and_waits_for_the_end"


def ignore_and_block() -> None:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def test_ctrl_c_arrives_though_the_parent_ignores_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", CTRL_C],
        cwd=ROOT, preexec_fn=ignore_and_block, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
