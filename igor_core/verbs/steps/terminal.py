"""The properties of the client's terminal that a program on it needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from igor_core.verbs.steps.request import Job, number_argument, table_argument

_VARIABLE = re.compile(r"TERM|COLORTERM|LANG|LC_[A-Z]+")
# The largest window that TIOCSWINSZ takes.
_MOST_CELLS = (1 << 16) - 1


@dataclass(frozen=True)
class Screen:
    """`window` is (columns, rows); `env` has the terminal's type and language."""

    window: tuple[int, int]
    env: Mapping[str, str]


def screen_of(job: Job) -> Screen:
    """Read the job's arguments; drop variables that aren't a terminal's. Raises UsageError."""
    columns, rows = (number_argument(job, name, 1, _MOST_CELLS) for name in ("columns", "rows"))
    env = table_argument(job, "env")
    return Screen((columns, rows), {n: value for n, value in env.items() if _VARIABLE.fullmatch(n)})
