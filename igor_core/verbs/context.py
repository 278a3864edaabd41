"""What all verbs share while the agent lives."""

from dataclasses import dataclass, field

from igor_core.push.trees import Trees
from igor_core.ssh.pool import Pool
from igor_core.verbs.turns import Turns


@dataclass
class Context:
    """The warm connections, what igor knows of the trees there, and whose turn it is."""

    pool: Pool = field(default_factory=Pool)
    trees: Trees = field(default_factory=Trees)
    turns: Turns = field(default_factory=Turns)

    def close(self) -> None:
        self.pool.close()
        self.trees.close()
