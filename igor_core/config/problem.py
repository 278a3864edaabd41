"""A mistake in the config, and the error that lists all of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from igor_core.errors import UsageError


class Problem(NamedTuple):
    """One mistake: the key's path (`host_groups.dev.hosts[0].port`), its line, a sentence.

    `path` is empty for the file as a whole; `line` is 0 if unknown.
    """

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(UsageError):
    """The config has mistakes. `problems` are all of them, in the file's order.

    The message has one line per mistake: `file:line: path: what is wrong`.
    """

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(self._located(problem) for problem in self.problems))

    def _located(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line else str(self.file)
        return f"{place}: {problem}"
