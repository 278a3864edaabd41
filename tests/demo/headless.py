"""The demo without a terminal: the main job by the command line, then a report host by host."""

import shlex
import time

from tests.demo.project import differences
from tests.demo.server import ADDRESS, EmbeddedHost
from tests.demo.show import Demo, say

RUN = ("docker", "exec", "python3", "simulate.py")


def run_headless(demo: Demo) -> int:
    """0 where each command did what it should on each host."""
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
    say("\nwhat it did, host by host:")
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
    """Look at the host's folder itself: is it what is here, and what did the program leave?"""
    tree = demo.tree_on(host)
    count, different = differences(demo.root, tree, demo.environment)
    results = tree / "results" / "angles.csv"
    equal = "all equal to those here" if not different else f"NOT as here: {', '.join(different)}"
    made = "results/angles.csv, which pushes left alone" if results.is_file() else "NO results"
    say(f"  {host.name} ({ADDRESS} port {host.port})")
    say(f"    {count} files in {tree}, {equal}")
    say(f"    the program ran there and made {made}")
    return not different and results.is_file()
