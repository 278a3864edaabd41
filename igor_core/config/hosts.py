"""The config's hosts and host groups as data."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from igor_core.config import rules
from igor_core.config.rules import key
from igor_core.errors import UsageError
from igor_core.nearest import nearest


@dataclass(frozen=True)
class Host:
    """A machine and its folder for the code. ssh_config says how to log in."""

    host: str = field(
        metadata=key("Name or address of the host, as given to ssh.", rules=rules.HOST)
    )
    dir: str = field(
        metadata=key(
            "Folder on the host in which the project's folder is made: absolute, or relative "
            "to the home directory ('~/...').",
            rules=rules.HOST_DIR,
        )
    )
    tag: str | None = field(
        default=None,
        metadata=key("Role of the host in an experiment.", rules=rules.VARIABLE),
    )
    user: str | None = field(
        default=None,
        metadata=key("Login name on this host; overrides ssh_config.", rules=rules.LOGIN),
    )
    port: int | None = field(
        default=None,
        metadata=key("Port of sshd; overrides ssh_config.", minimum=1, maximum=65535),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        hash=False,
        metadata=key(
            "Environment variables for programs on this host.",
            names=rules.VARIABLE,
            rules=(rules.NO_NUL,),
        ),
    )


@dataclass(frozen=True)
class HostGroup:
    """Hosts that one command acts on at once. `name` is its key in `host_groups`."""

    name: str
    hosts: tuple[Host, ...] = field(
        metadata=key(
            "The hosts of the group.", filled=True, distinct=("host", "user", "port", "dir")
        )
    )

    def select(self, names: Iterable[str]) -> tuple[Host, ...]:
        """Return the hosts called `names`, in the file's order; all hosts if `names` is empty.

        Raises UsageError for a name that no host of the group has.
        """
        wanted = set(names)
        known = list(dict.fromkeys(host.host for host in self.hosts))
        for name in sorted(wanted.difference(known)):
            raise UsageError(
                f"no host {name!r} in the group '{self.name}'{nearest(name, known)}",
                f"its hosts: {', '.join(known)}",
            )
        return tuple(host for host in self.hosts if not wanted or host.host in wanted)


def host_names(hosts: Sequence[Host]) -> list[str]:
    """Return the names that users see: `host`, or `host:dir` where several have one name."""
    count = Counter(host.host for host in hosts)
    return [host.host if count[host.host] == 1 else f"{host.host}:{host.dir}" for host in hosts]
