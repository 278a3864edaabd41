"""`python -m tests.fuzz SECONDS`: rounds of the fuzz tests, each with a seed of its own, until the
time is up or one fails. A failed round says how it is run again.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
EXAMPLES = "300"


def main(seconds: float) -> int:
    end = time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        seed = random.SystemRandom().randrange(1 << 32)
        status = one_round(seed)
        if status:
            print(f"again: FUZZ_EXAMPLES={EXAMPLES} python -m {' '.join(command(seed))}")
            print("then add the bytes to tests/fuzz/corpus")
            return status
        rounds += 1
    print(f"{rounds} rounds of {EXAMPLES} examples for each test")
    return 0


def one_round(seed: int) -> int:
    environment = {**os.environ, "FUZZ_EXAMPLES": EXAMPLES}
    asked = [sys.executable, "-m", *command(seed)]
    return subprocess.run(asked, env=environment, check=False).returncode


def command(seed: int) -> list[str]:
    # The names are the same in each round, and ask hosts.
    files = sorted(set(FOLDER.glob("test_*.py")) - {FOLDER / "test_names.py"})
    modules = [str(file.relative_to(FOLDER.parents[1])) for file in files]
    return ["pytest", "-q", "--timeout=0", "-x", f"--hypothesis-seed={seed}", *modules]


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
