"""What is at a path on a host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """What is at a path on a host: `kind` is find's %y ("f", "l", "d", …)."""

    kind: str
    size: int
    mtime_ns: int
    mode: int
    target: bytes = b""
