"""The state that all recipes share while the agent runs."""

from dataclasses import dataclass, field

from igor_core.push.sync.registry import Trees
from igor_core.ssh.pool import Pool
from igor_core.verbs.state.clones import Clones
from igor_core.verbs.state.debug_sessions import DebugPorts, DebugSessions
from igor_core.verbs.state.image_lock import ImageLock
from igor_core.verbs.state.saves import Saves


@dataclass
class Context:
    """The warm connections, what igor knows of local and host trees, and what jobs hold."""

    pool: Pool = field(default_factory=Pool)
    trees: Trees = field(default_factory=Trees)
    image_lock: ImageLock = field(default_factory=ImageLock)
    debug_sessions: DebugSessions = field(default_factory=DebugSessions)
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
