"""The hosts of all jobs, each with one warm connection."""

from collections.abc import Iterable

from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Address


class Pool:
    """Returns the same RemoteHost each time for an address."""

    def __init__(self) -> None:
        self._hosts: dict[Address, RemoteHost] = {}

    def host(self, address: Address) -> RemoteHost:
        if address not in self._hosts:
            self._hosts[address] = RemoteHost(address)
        return self._hosts[address]

    def hosts(self) -> Iterable[RemoteHost]:
        return self._hosts.values()

    def close(self) -> None:
        for host in self._hosts.values():
            host.close()
