"""The result of one check: a state, one sentence, and the remedy."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing looked at, in one sentence, with the remedy in `hint`.

    "warn": it works, but costs time or safety, or stops one part of igor; "skip": there was
    nothing to look at, or no way to.
    """

    name: str
    state: Literal["ok", "warn", "fail", "skip"]
    text: str
    hint: str = ""

    def to_wire(self) -> dict[str, str]:
        return asdict(self)


def ok(name: str, text: str) -> Check:
    return Check(name, "ok", text)


def warn(name: str, text: str, hint: str = "") -> Check:
    return Check(name, "warn", text, hint)


def fail(name: str, text: str, hint: str = "") -> Check:
    return Check(name, "fail", text, hint)


def skip(name: str, text: str, hint: str = "") -> Check:
    return Check(name, "skip", text, hint)


def any_failed(checks: Iterable[Check]) -> bool:
    return any(check.state == "fail" for check in checks)


def summary(checks: Iterable[Check]) -> str:
    """The checks that failed or warn: "1 failed (rsync), 2 warnings (disk, dir)"."""
    checks = list(checks)
    parts = []
    for state, one, many in (("fail", "failed", "failed"), ("warn", "warning", "warnings")):
        names = list(dict.fromkeys(check.name for check in checks if check.state == state))
        if names:
            parts.append(f"{len(names)} {one if len(names) == 1 else many} ({', '.join(names)})")
    return ", ".join(parts) or "all checks passed"
