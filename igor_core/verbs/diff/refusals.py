"""Which versions must not be replaced, or can't be, and why."""

from collections.abc import Sequence

from igor_core.verbs.diff.compare import Comparison, Pair, identity
from igor_core.verbs.diff.side import MOST_FETCHED
from igor_core.worktree.files import shown

# The reason for each refused path.
Refusals = dict[bytes, str]


def refused_on_host(comparison: Comparison, pairs: Sequence[Pair]) -> Refusals:
    """The paths whose version on the host must not be overwritten."""
    seen = comparison.seen()
    reasons = {pair.path: _why_not_on_host(pair, seen.get(pair.path)) for pair in pairs}
    return {path: reason for path, reason in reasons.items() if reason}


def _why_not_on_host(pair: Pair, seen: tuple[str, str] | None) -> str:
    host = pair.host
    if pair.obstacle:
        return f"{shown(pair.obstacle)} is not a folder on the host; move it away"
    if host.exists and host.kind not in ("f", "l"):
        return "neither a file nor a link on the host; move it away"
    if host.kind == "f" and not host.hash:
        return "the host can't read it"
    if not pair.local.exists and not pair.why:
        return "no local file, and igor never pushed it; delete it on the host yourself"
    if seen is not None and seen[0] != identity(host):
        return "changed on the host since you looked; compare again: igor diff"
    return ""


def refused_locally(comparison: Comparison, pairs: Sequence[Pair]) -> Refusals:
    """The paths whose local version must not be replaced, or can't be."""
    seen = comparison.seen()
    reasons = {pair.path: _why_not_locally(pair, seen.get(pair.path)) for pair in pairs}
    return {path: reason for path, reason in reasons.items() if reason}


def _why_not_locally(pair: Pair, seen: tuple[str, str] | None) -> str:
    host, local = pair.host, pair.local
    if not host.exists:
        return "no such file on the host"
    if host.kind not in ("f", "l"):
        return "neither a file nor a link on the host"
    if host.kind == "f" and not host.hash:
        return "the host can't read it"
    if host.kind == "f" and host.size > MOST_FETCHED:
        return f"larger than {MOST_FETCHED >> 30} GB on the host; fetch it yourself"
    if local.kind not in ("", "f", "l"):
        return "neither a file nor a link locally; move it away"
    if seen is not None and seen[1] != identity(local):
        return "changed locally since you looked; compare again: igor diff"
    return ""
