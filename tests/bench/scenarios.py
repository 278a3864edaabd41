"""What is measured: which change, in which tree, by whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.bench.tree import Edit, Tree, nothing

SAVERS = (
    "igor, :w in Neovim", "igor push, warm agent", "igor push, no agent",
    "rsync, warm ControlMaster", "rsync, fresh ssh", "scp, warm ControlMaster", "scp, fresh ssh",
    "unison, warm ControlMaster", "lsyncd, warm ControlMaster",
)  # fmt: skip
TREES = (
    "igor, agent asked", "rsync, warm ControlMaster", "rsync, fresh ssh",
    "unison, warm ControlMaster",
)  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """`edit(tree, version)` is timed; `before`, where given, is brought over ahead of it, untimed.

    `is_first`: each time into an empty folder on the host. `repeat` is for each round trip.
    """

    name: str
    title: str
    corpus: str
    contestants: tuple[str, ...]
    edit: Callable[[Tree, int], Edit]
    before: Callable[[Tree, int], Edit] | None = None
    hosts: int = 1
    repeat: int = 15
    is_first: bool = False
    seconds: float = 20.0

    def quick(self) -> "Scenario":
        """The same in small: two repetitions, no tree of 20,000 files."""
        corpus = "files-600" if self.corpus == "files-20000" else self.corpus
        title = f"{self.title}: in small, {corpus}"
        return replace(self, title=title, corpus=corpus, repeat=2)

    def only(self, names: Sequence[str]) -> "Scenario":
        """The same with fewer contestants."""
        return replace(self, contestants=tuple(one for one in self.contestants if one in names))


def _no_change(tree: Tree, version: int) -> Edit:
    return nothing()


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "save", "A save of a 10 kB file, in a tree of 30 files",
            "files-30", (*SAVERS, "plain :w"), Tree.save,
        ),
        Scenario(
            "save-8-hosts", "The same to 8 hosts, the last of them",
            "files-30", ("igor, :w in Neovim", "rsync, warm ControlMaster", "rsync, fresh ssh"),
            Tree.save, hosts=8,
        ),
        Scenario(
            "save-20000", "A save of a 10 kB file, in a tree of 20,000 files",
            "files-20000",
            ("igor, :w in Neovim", "igor push, warm agent", "rsync, warm ControlMaster"),
            Tree.save,
        ),
        Scenario(
            "stall", "How long Neovim stands still at a save",
            "files-30", ("igor, :w with a timer", "plain :w with a timer"), Tree.save, repeat=30,
        ),
        Scenario(
            "first-save", "The first :w of a new Neovim, right after its start; the agent is warm",
            "files-30", ("igor, first :w of a session", "plain, first :w of a session"), Tree.save,
        ),
        Scenario(
            "large", "One line in a 5 MB file",
            "large-file",
            ("igor, :w in Neovim", "igor, file written", "rsync, warm ControlMaster",
             "rsync, fresh ssh", "scp, warm ControlMaster", "unison, warm ControlMaster"),
            Tree.save_large,
        ),
        Scenario(
            "switch", "200 of 600 files changed by a branch switch",
            "files-600", ("igor, agent told", *TREES), Tree.switch_branch, repeat=9,
        ),
        Scenario(
            "remove", "A folder of 20 files renamed and ten files deleted, of 600",
            "files-600", ("igor, agent told", *TREES), Tree.remove,
            before=Tree.before_removal, repeat=9,
        ),
        Scenario(
            "noop-600", "A push with nothing to do, 600 files",
            "files-600", ("igor, agent asked", "igor push, warm agent", "igor push, no agent",
                          "rsync, warm ControlMaster", "rsync, fresh ssh",
                          "unison, warm ControlMaster"),
            _no_change,
        ),
        Scenario(
            "noop-20000", "A push with nothing to do, 20,000 files",
            "files-20000", TREES, _no_change, repeat=7,
        ),
        Scenario(
            "first-600", "A first push, 600 files, 8 MB",
            "files-600", ("igor, agent asked", "igor push, warm agent", "igor push, no agent",
                          "tar, warm ControlMaster", "rsync, warm ControlMaster",
                          "rsync, fresh ssh", "unison, warm ControlMaster"),
            _no_change, repeat=7, is_first=True,
        ),
        Scenario(
            "first-20000", "A first push, 20,000 files, 400 MB",
            "files-20000",
            ("igor, agent asked", "tar, warm ControlMaster", "rsync, warm ControlMaster"),
            _no_change, repeat=3, is_first=True, seconds=180,
        ),
    )
}  # fmt: skip
