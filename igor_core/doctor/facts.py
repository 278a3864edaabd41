"""The facts about a host, as data: ask.py asks for them, parse.py reads the answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from igor_core.doctor.listening import Listener
from igor_core.doctor.run_args import Published


@dataclass(frozen=True)
class Link:
    """The connection: seconds for a command there and back, and how far the host's clock is
    ahead of ours (None where it has none that igor can read). `why_plain`: no supervisor."""

    login: str
    supervised: bool
    why_plain: str
    rtt: float
    clock: float | None


@dataclass(frozen=True)
class Space:
    """A file system: bytes and files (0 where it doesn't count them) in all and free."""

    kind: str
    size: int
    free: int
    files: int
    free_files: int
    mounted_at: str


@dataclass(frozen=True)
class Place:
    """The config's `dir` on the host, and the nearest existing folder above it.

    `dir`, `tree`, `private` and `nearest_kind` are "folder", "absent" or "other"; `write_error`
    is what writing into the nearest folder failed with.
    """

    path: str
    dir: str
    nearest: str
    nearest_kind: str
    write_error: str
    tree_path: str
    tree: str
    tree_writable: bool
    private_path: str
    private: str
    private_writable: bool


@dataclass(frozen=True)
class Tools:
    """Versions as printed, empty if missing, and programs that cannot do what a push needs."""

    python: str
    rsync: str
    tar: str
    unfit: tuple[str, ...]


@dataclass(frozen=True)
class LoginShell:
    """What the login shell does before the first command: seconds (None: unknown) and output."""

    program: str
    seconds: float | None
    printed: str


@dataclass(frozen=True)
class Access:
    """How the login user may get at the engine. `host` is DOCKER_HOST; `socket_group` is empty
    where there is no system-wide socket; `own_socket` is a rootless engine's."""

    user: str
    installed: bool
    host: str
    socket_group: str
    own_socket: str
    groups_now: tuple[str, ...]
    groups_next: tuple[str, ...]


@dataclass(frozen=True)
class Gpu:
    """The kernel's driver, the container toolkit's programs, the file that describes GPUs."""

    driver: str
    toolkit: tuple[str, ...]
    cdi: str


@dataclass(frozen=True)
class Listening:
    """What listens on the host; `holders` are the programs that the login user may see, by
    protocol and port."""

    sockets: tuple[Listener, ...]
    holders: Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class HostFacts:
    """Everything that the script found."""

    tools: Tools
    place: Place
    space: Space | None
    shell: LoginShell
    access: Access
    gpu: Gpu
    listening: Listening


@dataclass(frozen=True)
class Container:
    """A running container of any user, and the host's ports that lead into it."""

    name: str
    ports: tuple[Published, ...]


@dataclass(frozen=True)
class Engine:
    """What the engine says of itself. Where it can't be used, `error` is what its client said
    and `status` that one's exit status; `client` and `server` are versions, empty if unknown."""

    word: str
    status: int
    error: str
    client: str
    server: str = ""
    rootless: bool = False
    data_root: str = ""
    runtimes: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
