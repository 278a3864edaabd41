"""What the hosts of a group are called before the user."""

from collections import Counter
from collections.abc import Sequence

from igor_core.config.model import Host


def host_names(hosts: Sequence[Host]) -> list[str]:
    """Each host's name; with its folder where a name is there more than once."""
    count = Counter(host.host for host in hosts)
    return [host.host if count[host.host] == 1 else f"{host.host}:{host.dir}" for host in hosts]
