"""The user that igor is on a host."""

import re
from dataclasses import dataclass

#: Prints what `parse_account` reads.
ACCOUNT_COMMAND = ("sh", "-c", 'id -u; id -g; id -un; printf "%s\\n" "$HOME"')

_ID = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class HostAccount:
    """A user of the host: numeric ids, name, home folder."""

    uid: int
    gid: int
    user: str
    home: str


#: Before the first connection.
UNKNOWN = HostAccount(-1, -1, "", "")


def parse_account(output: bytes) -> HostAccount | None:
    """Read what ACCOUNT_COMMAND printed; None if that isn't what it prints."""
    lines = output.decode("utf-8", "replace").splitlines()
    if len(lines) != 4 or not all(map(_ID.fullmatch, lines[:2])):
        return None
    return HostAccount(int(lines[0]), int(lines[1]), lines[2], lines[3])
