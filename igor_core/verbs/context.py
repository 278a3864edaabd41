"""What all verbs share while the agent lives."""

from dataclasses import dataclass, field

from igor_core.push.trees import Trees
from igor_core.ssh.pool import Pool
from igor_core.verbs.clones import Clones
from igor_core.verbs.debug_ports import DebugPorts
from igor_core.verbs.debugging import Debugging
from igor_core.verbs.saves import Saves
from igor_core.verbs.turns import Turns


@dataclass
class Context:
    """The warm connections, what igor knows of the trees there and here, and who is at what."""

    pool: Pool = field(default_factory=Pool)
    trees: Trees = field(default_factory=Trees)
    turns: Turns = field(default_factory=Turns)
    debugging: Debugging = field(default_factory=Debugging)
    debug_ports: DebugPorts = field(default_factory=DebugPorts)
    clones: Clones = field(init=False)
    saves: Saves = field(init=False)

    def __post_init__(self) -> None:
        self.clones = Clones(self.pool, self.trees)
        self.saves = Saves(self.clones)

    def close(self) -> None:
        self.saves.leave()
        self.clones.close()
        self.pool.close()
        self.trees.close()
