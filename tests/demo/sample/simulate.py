"""A pendulum, simulated: `python3 simulate.py [SECONDS]`."""

import os
import platform
import sys
from pathlib import Path

from pendulum import Pendulum, simulate


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    states = simulate(Pendulum(length=1.0, angle=0.5), seconds)
    results = Path("results")
    results.mkdir(exist_ok=True)
    lines = [f"{state.time:.3f},{state.angle:.6f}\n" for state in states]
    (results / "angles.csv").write_text("".join(lines))
    print(f"{seconds:.0f} s in {len(states)} steps, last angle {states[-1].angle:+.3f} rad")
    print(f"Python {platform.python_version()} in {os.getcwd()}; {len(lines)} lines in results/")


if __name__ == "__main__":
    main()
