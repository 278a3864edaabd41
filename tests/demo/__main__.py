"""`python -m tests.demo [--headless]`: show igor's main job, then remove everything it made."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from tests.demo.editor import find_neovim, run_editor
from tests.demo.engine import find_engine
from tests.demo.headless import run_headless
from tests.demo.place import Place, make_place
from tests.demo.project import make_project
from tests.demo.server import running_hosts
from tests.demo.show import Demo, say

NAMES = ("apollo", "enterprise")
ENDING = (signal.SIGTERM, signal.SIGHUP)
AGENT_SECONDS = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="no editor, even with a terminal")
    options = parser.parse_args()
    if sys.platform != "linux":
        say("The demo uses this machine as its hosts, and igor's hosts must be Linux.")
        return 1
    for number in ENDING:
        signal.signal(number, _end)
    program = "" if options.headless or not _has_terminal() else find_neovim()
    try:
        with contextlib.ExitStack() as stack:
            demo = _start(stack)
            return run_editor(demo, program) if program else run_headless(demo)
    except KeyboardInterrupt:
        return 130


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _end(number: int, _frame: object) -> NoReturn:
    """Raise an exception, so that everything that was started is ended."""
    raise SystemExit(128 + number)


def _start(stack: contextlib.ExitStack) -> Demo:
    """Start the hosts and the project; the stack ends them in reverse order."""
    folder = stack.enter_context(_folder())
    place = make_place(folder)
    engine = find_engine(folder, say)
    stack.callback(engine.remove_pulled)
    # Two hosts on one engine would share one container.
    names = NAMES[:1] if engine.image else NAMES
    hosts = stack.enter_context(
        running_hosts(
            names, folder / "hosts", place.client_key, {**place.environment, **engine.environment}
        )
    )
    place.know(hosts)
    root = make_project(folder, hosts, engine.config, place.environment)
    demo = Demo(place, hosts, engine, root)
    stack.callback(_end_igor, demo)
    for host in hosts:
        say(f"{host.name}: an SSH server on 127.0.0.1 port {host.port}, home {host.home}")
    say(f'"runtime": "{engine.config["runtime"]}", because {engine.reason}')
    return demo


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="igor-demo-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        left = "" if not folder.exists() else f"; {folder} could not be removed whole"
        say(f"\nThe agent and the SSH servers are ended, {folder} is removed{left}.")


def _end_igor(demo: Demo) -> None:
    """Remove the container and the agent, uninterrupted, whatever was going on."""
    for number in (signal.SIGINT, *ENDING):
        signal.signal(number, signal.SIG_IGN)
    if demo.engine.image:
        demo.igor("docker", "clean", "--images", quiet=True)
    demo.igor("agent", "stop", quiet=True)
    deadline = time.monotonic() + AGENT_SECONDS
    while (left := _processes_of(demo.place)) and time.monotonic() < deadline:
        # An editor that was ended may have been starting an agent.
        if not (demo.place.runtime / "agent.sock").exists():
            _kill(left)
        time.sleep(0.05)
    _kill(_processes_of(demo.place))


def _processes_of(place: Place) -> list[int]:
    """Processes with this demo's socket folder: the agent, and a client that starts one."""
    mark = f"XDG_RUNTIME_DIR={place.environment['XDG_RUNTIME_DIR']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue  # another user's, or gone
    return found


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
