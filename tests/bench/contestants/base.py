"""What every contestant has: a ground to play on, and one way to be asked for its turn."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.room import Room
from tests.bench.tree import Edit, Tree
from tests.bench.watch import Turn
from tests.lab import Host


@dataclass
class Ground:
    """The contestant's own surroundings, tree, and folder on each host.

    `folder` is relative to the home there; the tree is below it, under its own name.
    """

    room: Room
    tree: Tree
    hosts: Sequence[Host]
    folder: str

    @property
    def destination(self) -> str:
        """The tree's absolute path on each host, for its own programs."""
        return f"{self.hosts[0].home}/{self.folder}/{self.tree.root.name}"

    def tops(self) -> list[Path]:
        """The tree on each host, as this machine opens it."""
        return [host.path(self.destination) for host in self.hosts]


class Contestant(ABC):
    """Something that brings a tree to hosts.

    `open` connects what stays connected, `first` brings the whole tree for the first time.
    """

    #: Whether what it does arrives on the hosts.
    delivers = True

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.room = ground.room

    @abstractmethod
    def open(self) -> None:
        """Get ready; nothing of it is timed."""

    @abstractmethod
    def turn(self, edit: Edit) -> Turn:
        """Make the change and start to bring it over."""

    def first(self) -> None:
        """Bring the whole tree over, untimed."""
        turn = self.turn(Edit(lambda: None))
        while turn.answers is not None and not turn.is_done():
            continue

    def quantities(self) -> dict[str, float]:
        """What else there is to note of the last turn."""
        return {}

    def peak_memory(self) -> float | None:
        """Of what stays, the most that it ever had, in MB; None where nothing of note stays."""
        return None

    def move_to(self, folder: str) -> None:
        """From now on play in another, empty folder on the hosts: the next turn is a first."""
        self.ground.folder = folder
        for host in self.ground.hosts:
            host.run(["mkdir", "-p", folder], check=True)

    def close(self) -> None:  # noqa: B027  most have nothing that their room doesn't end
        """End what was opened."""
