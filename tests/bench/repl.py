"""A shell in a container by `igor docker repl` beside `ssh -t host docker exec -it`, in turns.

Three things, on a lab host near and far: from the command to the first prompt (igor's agent is
warm, ssh logs in each time), from a key to its echo, and the rate of 50 MB of output.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.bench.room import Room
from tests.lab import Host, Lab, LabError
from tests.support.cli_process import COMMAND, Terminal

PROMPT = "$ "
MEGABYTES = 50
KEYS = 100
_PAUSE_SECONDS = 0.03
_FLOOD = f"head -c {MEGABYTES}000000 /dev/zero | tr '\\0' x; echo; echo do''ne\r"
#: What is measured: name and unit.
QUANTITIES = {"first prompt": "ms", "echo of a key": "ms", f"{MEGABYTES} MB of output": "MB/s"}

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Way:
    """One way to a shell in the container."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]

    def open(self) -> Terminal:
        terminal = Terminal(command=list(self.command), cwd=self.folder, env=self.environment)
        terminal.wait_for(PROMPT)
        return terminal


def main() -> int:
    arguments = _arguments()
    try:
        with _ways() as (host, ways):
            for rtt in arguments.rtt:
                host.delay(rtt)
                _show(rtt, ways, _measure(ways, arguments.repeat))
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(ways: Sequence[Way], repeat: int) -> dict[str, list[list[float]]]:
    """The samples of each quantity, by way."""
    prompts = _in_turns(ways, repeat, prompt)
    terminals = [way.open() for way in ways]
    try:
        echoes = _in_turns(terminals, KEYS, echo)
        floods = _in_turns(terminals, 3, flood)
    finally:
        for terminal in terminals:
            close(terminal)
    return dict(zip(QUANTITIES, (prompts, echoes, floods), strict=True))


def _in_turns(
    those: Sequence[Kind], repeat: int, measure: Callable[[Kind], float]
) -> list[list[float]]:
    """A B A B; the first round does not count."""
    rounds = [[measure(one) for one in those] for _ in range(repeat + 1)]
    return [list(samples) for samples in zip(*rounds[1:], strict=True)]


def prompt(way: Way) -> float:
    start = time.perf_counter()
    terminal = way.open()
    seconds = time.perf_counter() - start
    close(terminal)
    return seconds * 1000


def echo(terminal: Terminal) -> float:
    """A key on readline's line, which is then deleted."""
    terminal.screen = b""
    start = time.perf_counter()
    terminal.type("j")
    terminal.wait_for("j")
    seconds = time.perf_counter() - start
    terminal.type("\x15")
    time.sleep(_PAUSE_SECONDS)
    return seconds * 1000


def flood(terminal: Terminal) -> float:
    start = time.perf_counter()
    terminal.type(_FLOOD)
    terminal.pass_over(b"done\r\n")
    return MEGABYTES / (time.perf_counter() - start)


def close(terminal: Terminal) -> None:
    terminal.type("\x04")
    terminal.end()


def _show(rtt: float, ways: Sequence[Way], results: dict[str, list[list[float]]]) -> None:
    for quantity, samples in results.items():
        cells = [
            f"{way.name} {statistics.median(one):.1f} ({min(one):.1f}…{max(one):.1f})"
            for way, one in zip(ways, samples, strict=True)
        ]
        print(f"{rtt:3g} ms  {quantity:16}  {'   '.join(cells)}  {QUANTITIES[quantity]}")


@contextmanager
def _ways() -> Iterator[tuple[Host, Sequence[Way]]]:
    """A host with a running container, and both ways to it; igor's agent is warm."""
    with tempfile.TemporaryDirectory(prefix="igor-bench-") as folder, Lab(1) as lab:
        host = lab.hosts[0]
        host.delay(0)
        room = Room("repl", Path(folder, "room"), lab.ssh_config)
        try:
            root = _project(room.folder / "project", lab)
            igor = Way("igor", [*COMMAND, "docker", "repl", "bash"], root, room.environment)
            close(igor.open())
            exec_ = ["docker", "exec", "-it", "--env=TERM=xterm", "lab-project-dev", "bash"]
            ssh = ["ssh", "-F", str(lab.ssh_config), "-t", host.name, *exec_]
            yield host, [igor, Way("ssh", ssh, root, room.environment)]
        finally:
            room.close()


def _project(root: Path, lab: Lab) -> Path:
    (root / ".igor").mkdir(parents=True)
    (root / ".igor/config.json").write_text(json.dumps(lab.project_config()))
    (root / "dockerfile").write_text("FROM igor-base:latest\n")
    return root


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.repl", description=__doc__)
    parser.add_argument("--rtt", type=_rtts, default=[0.0, 20.0, 80.0], help="ms, as 0,20,80")
    parser.add_argument("--repeat", type=int, default=9, help="how often each shell is opened")
    return parser.parse_args()


def _rtts(text: str) -> list[float]:
    return [float(rtt) for rtt in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
