"""What is known of a host: the connection, what the script printed, a file system."""

import re
from dataclasses import dataclass, fields
from typing import NamedTuple


class HostLink(NamedTuple):
    """The connection: who is logged in where, and the seconds that a command takes, to and fro.

    `supervised` is whether igor's supervisor runs on the host; `why_plain` why not.
    """

    login: str
    supervised: bool
    why_plain: str
    round_trip: float


@dataclass(frozen=True)
class HostFacts:
    """What the script printed, each value under its name; empty where it printed none."""

    user: str = ""
    python3: str = ""  # versions: the first line of `--version`
    rsync: str = ""
    unfit: str = ""  # programs that are missing or don't know GNU's options
    nearest: str = ""  # the config's `dir`, or the nearest path above it that exists
    not_folder: str = ""  # a path that is in the way of one of the folders
    not_writable: str = ""  # a folder of igor's on the host that is somebody else's
    write_error: str = ""  # why a file could not be written into `nearest`
    space: str = ""  # a row of df for `nearest`
    shell: str = ""
    shell_milliseconds: str = ""  # how long the login shell takes to start
    shell_output: str = ""  # what it prints before a command's own output
    engine: str = ""  # the engine's program, if it is installed
    engine_host: str = ""  # DOCKER_HOST
    socket_group: str = ""  # the group of /var/run/docker.sock
    own_socket: str = ""  # the socket of a rootless docker
    groups_now: str = ""  # of igor's login
    groups_next: str = ""  # of a new login
    driver: str = ""  # NVIDIA's, in the kernel
    toolkit: str = ""  # a program of the NVIDIA container toolkit
    cdi: str = ""  # a file that describes nvidia.com/gpu
    listening: str = ""  # from ss


def parse(printed: bytes) -> HostFacts:
    """Read names and values, each ended by NUL."""
    words = [field.decode("utf-8", "replace").strip() for field in printed.split(b"\0")]
    said = dict(zip(words[:-1:2], words[1::2], strict=False))
    names = [field.name for field in fields(HostFacts)]
    return HostFacts(**{name: said[name] for name in names if name in said})


class Space(NamedTuple):
    """A file system: bytes and files (0 where it doesn't count them), in all and free."""

    kind: str
    size: int
    free: int
    files: int
    free_files: int
    mounted_at: str


#: What makes df print the row that `space` reads.
DF = ("df", "-B1", "--output=fstype,size,avail,itotal,iavail,target", "--")


def space(row: str) -> Space | None:
    """Read a row of GNU df; None where there is none."""
    words = row.strip().split(None, 5)
    if len(words) < 6:
        return None
    size, free, files, free_files = (count(word) for word in words[1:5])
    return Space(words[0], size, free, files, free_files, words[5])


def count(word: str) -> int:
    """A number that the host printed; 0 for anything else."""
    return int(word) if re.fullmatch("[0-9]{1,18}", word) else 0
