"""The demo without a terminal: the main job on the command line, then a report for each host."""

import shlex
import time

from tests.demo.project import differences
from tests.demo.server import ADDRESS, EmbeddedHost
from tests.demo.show import Demo, say

RUN = ("docker", "exec", "python3", "simulate.py")


def run_headless(demo: Demo) -> int:
    """Return 0 if each command did what it should on each host."""
    ok = _command(demo, "push")
    ok &= _command(demo, "docker", "setup")
    ok &= _command(demo, *RUN)
    say("\n# a change: gravity as on the Moon; exec pushes it before it runs")
    model = demo.root / "pendulum" / "model.py"
    model.write_text(model.read_text().replace("GRAVITY = 9.81", "GRAVITY = 1.62"))
    ok &= _command(demo, *RUN)
    say("\n# nothing has changed, so nothing is sent, built or started")
    ok &= _command(demo, "docker", "setup")
    if demo.engine.image:
        ok &= _command(demo, "docker", "clean", "--images")
    say("\nresult on each host:")
    for host in demo.hosts:
        ok &= _report(demo, host)
    return 0 if ok else 1


def _command(demo: Demo, *words: str) -> bool:
    say(f"\n$ igor {shlex.join(words)}")
    started = time.monotonic()
    status = demo.igor(*words)
    say(f"[exit status {status}, {time.monotonic() - started:.2f} s]")
    return status == 0


def _report(demo: Demo, host: EmbeddedHost) -> bool:
    """Compare the host's folder with the local one, and look for the program's result."""
    tree = demo.tree_on(host)
    count, different = differences(demo.root, tree, demo.environment)
    results = tree / "results" / "angles.csv"
    equal = "all equal to the local ones" if not different else f"NOT equal: {', '.join(different)}"
    made = (
        "results/angles.csv, which later pushes left alone" if results.is_file() else "NO results"
    )
    say(f"  {host.name} ({ADDRESS} port {host.port})")
    say(f"    {count} files in {tree}, {equal}")
    say(f"    the program ran on it and made {made}")
    return not different and results.is_file()
