"""Prefixes that launchers (torchrun, mpirun, docker compose) print before each line."""

import re
from typing import NamedTuple

_PREFIX = re.compile(
    r"""
      \[(?P<rank>[A-Za-z][\w.-]{0,30}\d)\]:?[ ]?               # [rank0]: torch, [gw1] pytest-xdist
    | \[(?P<process>\d{1,5}(?:,\d{1,5})?)\](?:<std(?:err|out)>:|:)[ ]?  # mpirun --tag-output
    | (?P<task>\d{1,5}):[ ](?=\S|[ ]{2})                        # srun --label
    | \((?P<actor>[\w ]{1,60}\bpid=\d{1,9})(?:,[ ]ip=[\d.]{7,15})?\)[ ]  # ray
    | (?P<host>(?=[\w.-]{0,62}[A-Za-z])\w[\w.-]{0,62})[ ]{0,62}[|│](?:[ ]|$)  # igor, docker compose
    | \#(?P<step>\d{1,5})[ ]\d{1,6}\.\d{1,4}(?:[ ]|$)           # BuildKit's plain progress
    | (?P<since>\d{1,6}\.\d{2,4})[ ]                             # BuildKit's summary of a failure
    | (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]{0,10}(?:Z|[+-]\d\d:\d\d))[ ]  # docker logs
    """,
    re.VERBOSE,
)
# Prefixes that name a process; the others name a host, a step or a time.
_NAMES = ("rank", "process", "task", "actor")
_MOST = 3


class Prefixed(NamedTuple):
    """A line without its prefixes. `speaker` is the same for all lines of one program; `rank` and
    `host` are the names in the prefixes, or ""."""

    speaker: str
    rank: str
    host: str
    text: str


def split_prefix(line: str) -> Prefixed:
    at, speaker, rank, host = 0, "", "", ""
    for _ in range(_MOST):
        match = _PREFIX.match(line, at)
        if not match or match.lastgroup is None:
            break
        at = match.end()
        kind = match.lastgroup
        name = match[kind]
        speaker += f"{kind} {name} " if kind not in ("since", "time") else f"{kind} "
        if kind in _NAMES:
            rank = name
        elif kind == "host":
            host = name
    return Prefixed(speaker, rank, host, line[at:])
