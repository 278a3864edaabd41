"""The names of a group's hosts as the user sees them."""

from collections import Counter
from collections.abc import Sequence

from igor_core.config.model import Host


def host_names(hosts: Sequence[Host]) -> list[str]:
    """Each host's name, with its folder if several entries have the same name."""
    count = Counter(host.host for host in hosts)
    return [host.host if count[host.host] == 1 else f"{host.host}:{host.dir}" for host in hosts]
