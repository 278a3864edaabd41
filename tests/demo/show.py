"""What the demo has running, and how it reports what happens."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.demo.engine import Engine
from tests.demo.place import Place
from tests.demo.project import NAME, host_folder
from tests.demo.server import EmbeddedHost

IGOR = [sys.executable, "-m", "igor_core.cli"]
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """Everything that a run of the demo works with."""

    place: Place
    hosts: Sequence[EmbeddedHost]
    engine: Engine
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
        return {**self.place.environment, "PYTHONPATH": path}

    def tree_on(self, host: EmbeddedHost) -> Path:
        return host_folder(host) / NAME

    def igor(self, *arguments: str, quiet: bool = False) -> int:
        """Run igor in the sample project, with the demo's own output."""
        sink = subprocess.DEVNULL if quiet else None
        return subprocess.run(
            [*IGOR, *arguments], cwd=self.root, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False,
        ).returncode  # fmt: skip


def say(text: str) -> None:
    """Print a line at once: programs that the demo starts write to the same place."""
    print(text, flush=True)
