"""From the request to the first stop: igor's agent, warm, beside the same by hand, in turns.

By hand it is `ssh -L … host docker exec … python -m debugpy --listen …` and a client that tries
until debugpy answers. The debugger is the same, as is its way in (tests/support/dap_client.py).
"""

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from igor_core.agent.client import connect
from tests.bench.room import Room
from tests.lab import Host, Lab, LabError
from tests.support.agent_client import Seen
from tests.support.dap_client import DapError, Debugger
from tests.support.debugged import DOCKERFILE, FILE, PROGRAM, STOP
from tests.support.sample_project import SampleProject

#: What igor may take, as a multiple of what it takes by hand.
GOAL = 1.3
PORT = 5678
LOCAL_PORT = 25678
PYTHON = "/venv/tools/bin/python"

#: Seconds from the request until debugpy can be reached, and then to the stop.
Parts = tuple[float, float]


def main() -> int:
    arguments = _arguments()
    try:
        with Lab(1) as lab, tempfile.TemporaryDirectory(prefix="igor-bench-") as folder:
            host = lab.hosts[0]
            host.delay(0)
            with _room(Path(folder), lab) as project:
                ratios = [_contest(project, host, lab, rtt, arguments) for rtt in arguments.rtt]
                left = _left(project, host)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"left in the container: {', '.join(left) or 'nothing'}")
    return 0 if max(ratios) <= GOAL and not left else 1


def _left(project: SampleProject, host: Host) -> list[str]:
    """What runs in the container beside what keeps it running."""
    done = host.docker("top", f"lab-{project.root.name}-dev", "-eo", "args")
    return [line for line in done.stdout.splitlines()[1:] if "2147483647" not in line]


def _contest(
    project: SampleProject, host: Host, lab: Lab, rtt: float, arguments: argparse.Namespace
) -> float:
    host.delay(rtt)
    ways: dict[str, Callable[[], Parts]] = {
        "igor": lambda: by_igor(project),
        "by hand": lambda: by_hand(project, host, lab),
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(arguments.repeat + 1)]
    wholes = {}
    for name in ways:
        parts = [each[name] for each in rounds[1:]]
        wholes[name] = statistics.median(sum(each) for each in parts)
        listening, attaching = (statistics.median(column) for column in zip(*parts, strict=True))
        spread = sorted(sum(each) for each in parts)
        print(
            f"{rtt:3g} ms  {name:8}  to the stop {wholes[name]:.2f} s "
            f"({spread[0]:.2f}…{spread[-1]:.2f}): debugpy listens {listening:.2f}, "
            f"attach and stop {attaching:.2f}"
        )
    ratio = wholes["igor"] / wholes["by hand"]
    print(f"{rtt:3g} ms  igor takes {ratio:.2f} x (goal: at most {GOAL})", flush=True)
    return ratio


def by_igor(project: SampleProject) -> Parts:
    began = time.perf_counter()
    job = Seen(connect("bench", answers=False), "debug", project.root, program=FILE)
    job.until(lambda job: job.outcome or _waits(job))
    if job.outcome:
        raise LabError(f"igor: {job.outcome}")
    listening = time.perf_counter()
    debugger = _stop(project, Debugger(job.events[-1]["port"]))
    stopped = time.perf_counter()
    debugger.request("disconnect")
    job.end()
    job.client.close()
    return listening - began, stopped - listening


def _waits(job: Seen) -> bool:
    return bool(job.events) and job.events[-1]["type"] == "debuggee"


def by_hand(project: SampleProject, host: Host, lab: Lab) -> Parts:
    container = f"lab-{project.root.name}-dev"
    inspect = ["inspect", "-f", "{{.NetworkSettings.IPAddress}}", container]
    address = host.docker(*inspect).stdout.strip()
    mark = secrets.token_hex(8)
    began = time.perf_counter()
    ssh = subprocess.Popen(
        ["ssh", "-F", str(lab.ssh_config), "-o", "ExitOnForwardFailure=yes",
         "-L", f"127.0.0.1:{LOCAL_PORT}:{address}:{PORT}", host.name, "docker", "exec", "-i",
         "-e", f"MARK={mark}", "-w", "/workspace", container, PYTHON, "-Xfrozen_modules=off",
         "-m", "debugpy", "--listen", f"0.0.0.0:{PORT}", "--wait-for-client", FILE],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    listening, debugger = _first_that_is_answered()
    _stop(project, debugger)
    stopped = time.perf_counter()
    debugger.close()
    host.docker("exec", container, "sh", "-c", _END, "sh", mark)
    ssh.kill()
    ssh.wait()
    return listening - began, stopped - listening


_END = """\
for folder in /proc/[0-9]*; do
    grep -qz "MARK=$1" "$folder/environ" 2>/dev/null && kill -KILL "${folder#/proc/}"
done
true
"""


def _first_that_is_answered() -> tuple[float, Debugger]:
    """The first connection that leads somewhere, and when it was made: ssh closes the others."""
    deadline = time.perf_counter() + 30
    while time.perf_counter() < deadline:
        at = time.perf_counter()
        try:
            debugger = Debugger(LOCAL_PORT)
            debugger.initialize()
        except (OSError, DapError):
            time.sleep(0.02)
        else:
            return at, debugger
    raise LabError("debugpy does not answer")


def _stop(project: SampleProject, debugger: Debugger) -> Debugger:
    file = str(project.root / FILE)
    debugger.attach(project.root, "/workspace", {file: [STOP]}).stopped()
    return debugger


@contextmanager
def _room(folder: Path, lab: Lab) -> Iterator[SampleProject]:
    """A home with a project whose container runs; igor's agent is warm."""
    room = Room("debug", folder / "room", lab.ssh_config)
    os.environ.update(room.environment)
    try:
        project = SampleProject(room.folder / "project", lab.hosts)
        project.write("dockerfile", DOCKERFILE)
        project.write(FILE, PROGRAM)
        project.configure(user="lab", docker_rebuild_files=[], debug_port=LOCAL_PORT + 1)
        done = project.igor("docker", "setup")
        if done.returncode:
            raise LabError(done.stderr)
        yield project
    finally:
        room.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.debug", description=__doc__)
    parser.add_argument("--rtt", type=_rtts, default=[0.0, 20.0], help="ms, as 0,20,80")
    parser.add_argument("--repeat", type=int, default=9, help="how often each way")
    return parser.parse_args()


def _rtts(text: str) -> Sequence[float]:
    return [float(rtt) for rtt in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
