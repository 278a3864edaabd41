"""What all verbs share while the agent lives."""

from dataclasses import dataclass, field

from igor_core.push.trees import Trees
from igor_core.ssh.pool import Pool


@dataclass
class Context:
    """The warm connections, and what igor knows of the trees behind them."""

    pool: Pool = field(default_factory=Pool)
    trees: Trees = field(default_factory=Trees)

    def close(self) -> None:
        self.pool.close()
        self.trees.close()
