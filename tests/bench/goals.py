"""What igor promises, line by line."""

from dataclasses import dataclass

from tests.bench.judge import Judge, above, all_of, at_most, beyond, bounds, faster, fixed_part

NEOVIM = "igor, :w in Neovim"
AGENT = "igor, agent asked"
TOLD = "igor, agent told"
WRITTEN = "igor, file written"
COMMAND = "igor push, warm agent"
TICKING, PLAIN_TICKING = "igor, :w with a timer", "plain :w with a timer"
FIRST, PLAIN_FIRST = "igor, first :w of a session", "plain, first :w of a session"
IDLE = "igor, agent idle"
WARM_RSYNC, FRESH_RSYNC = "rsync, warm ControlMaster", "rsync, fresh ssh"
WARM_SCP, FRESH_SCP = "scp, warm ControlMaster", "scp, fresh ssh"
WARM_TAR = "tar, warm ControlMaster"

#: What a save in a tree of 20,000 files may take beyond one in a small tree, in milliseconds.
_SAME = 1.0


@dataclass(frozen=True)
class Goal:
    """One promise; `what` is the operation, `promise` the bound on it."""

    what: str
    promise: str
    judge: Judge


GOALS = (
    Goal("save, 10 kB, visible", "a ≤ 5 ms, k ≤ 0.55",
         bounds("save", NEOVIM, "visible", fixed=5, trips=0.55)),
    Goal("save, 10 kB, acknowledged", "k ≤ 1.1",
         bounds("save", NEOVIM, "acknowledged", trips=1.1, possible=0.9)),
    Goal("save at 20 ms", "≥ 7 times faster than rsync, scp over ControlMaster",
         faster("save", NEOVIM, "visible", (WARM_RSYNC, WARM_SCP), 7, (20,))),
    Goal("save at 20 ms", "≥ 26 times faster than rsync, scp over fresh ssh",
         faster("save", NEOVIM, "visible", (FRESH_RSYNC, FRESH_SCP), 26, (20,))),
    Goal("save to 8 hosts, the last", "a ≤ 10 ms, k ≤ 0.6",
         bounds("save-8-hosts", NEOVIM, "visible", fixed=10, trips=0.6)),
    Goal("editor stall at a save", "≤ 1 ms over plain :w",
         above("stall", TICKING, PLAIN_TICKING, "stall", 1)),
    Goal("editor stall at a session's first save", "≤ 1 ms over plain :w",
         above("first-save", FIRST, PLAIN_FIRST, "blocked", 1)),
    Goal("client CPU per save", "≤ 4 ms", at_most("save", NEOVIM, "cpu", 4)),
    Goal("client CPU per save", "≥ 20 times less than rsync over fresh ssh",
         faster("save", NEOVIM, "cpu", (FRESH_RSYNC,), 20)),
    Goal("one line in a 5 MB file", "k ≤ 0.6", bounds("large", NEOVIM, "visible", trips=0.6)),
    Goal("one line in a 5 MB file", "faster than rsync over ControlMaster",
         faster("large", WRITTEN, "visible", (WARM_RSYNC,), 1)),
    Goal("200 files changed", "k ≤ 1.2", bounds("switch", TOLD, "visible", trips=1.2)),
    Goal("200 files changed", "a ≤ 1.15 times rsync's over ControlMaster",
         fixed_part("switch", TOLD, "visible", WARM_RSYNC, 1.15)),
    Goal("folder renamed, ten files deleted", "k ≤ 1.6",
         bounds("remove", TOLD, "visible", trips=1.6)),
    Goal("no-op push, 600 files, warm", "a ≤ 12 ms, k ≤ 1.1",
         bounds("noop-600", AGENT, "acknowledged", fixed=12, trips=1.1)),
    Goal("no-op push, 20,000 files", "a ≤ 160 ms, k ≤ 1.1",
         bounds("noop-20000", AGENT, "acknowledged", fixed=160, trips=1.1)),
    Goal("no-op push, 20,000 files", "≥ 4 times faster than that rsync at 20 ms, ≥ 9 at 80 ms",
         all_of(faster("noop-20000", AGENT, "acknowledged", (WARM_RSYNC,), 4, (20,)),
                faster("noop-20000", AGENT, "acknowledged", (WARM_RSYNC,), 9, (80,)))),
    Goal("save in a tree of 20,000 files", "as in a small one",
         beyond(("save-20000", NEOVIM), ("save", NEOVIM), "visible", _SAME)),
    Goal("first push, 600 files", "faster than tar over ControlMaster",
         faster("first-600", AGENT, "acknowledged", (WARM_TAR,), 1)),
    Goal("first push, 20,000 files", "at 0 ms not slower than rsync over ControlMaster",
         faster("first-20000", AGENT, "acknowledged", (WARM_RSYNC,), 1, (0,))),
    Goal("first push, 20,000 files", "at 80 ms ≥ 3 times faster",
         faster("first-20000", AGENT, "acknowledged", (WARM_RSYNC,), 3, (80,))),
    Goal("first push, 20,000 files", "the agent's memory bounded: ≤ 200 MB at its peak",
         at_most("first-20000", AGENT, "peak memory", 200)),
    Goal("igor push, nothing to do, 600 files", "≤ 60 ms + 1.1 RTT",
         bounds("noop-600", COMMAND, "acknowledged", fixed=60, trips=1.1)),
    Goal("first :w in a fresh Neovim", "visible within 100 ms + 0.6 RTT",
         bounds("first-save", FIRST, "visible", fixed=100, trips=0.6)),
    Goal("first :w in a fresh Neovim", "blocked ≤ 2 ms",
         at_most("first-save", FIRST, "blocked", 2)),
    Goal("idle agent, 10 s", "≤ 20 ms of CPU", at_most("idle", IDLE, "idle cpu", 20)),
    Goal("agent after all those saves", "grown by ≤ 2 MB", at_most("idle", IDLE, "growth", 2)),
)  # fmt: skip
