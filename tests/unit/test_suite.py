"""The suite itself: it does not depend on what its parent leaves it, and outlives its workers."""

import os
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


DEADLY = "import os\ndef test_first(): pass\ndef test_deadly(): os._exit(1)\n"
FINE = "def test_fine(): pass\n"


def test_a_worker_that_dies_costs_one_test(tmp_path: Path) -> None:
    texts = {"last": DEADLY, "last_but_one": DEADLY + FINE, "a": FINE, "b": FINE, "c": FINE}
    for name, text in texts.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.scheduling", "-n", "2",
         "--dist", "loadfile", "-c", os.devnull, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "2 failed, 6 passed" in done.stdout
