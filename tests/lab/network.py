"""The lab's own network: one bridge, in a namespace of its own, with a cable to each host.

The machine itself gets a single link, named like the lab, with one address. It is gone with the
process that holds the bridge's namespace, as are all cables.
"""

import ipaddress
import json
import subprocess

from tests.lab.command import LabError, run, service_environment

BRIDGE = "switch"


class Network:
    """Gives addresses, and lays, cuts and repairs cables. `name` is the local link."""

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        self.subnet = _free_subnet(index)
        addresses = self.subnet.hosts()
        self.own_address = str(next(addresses))
        self._addresses = addresses
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=service_environment(),
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.pid = self._holder.pid
        self._ip("link", "add", BRIDGE, "type", "bridge")
        self._ip("link", "set", BRIDGE, "up")
        peer = ["peer", "name", "uplink", "netns", str(self.pid)]
        run(["ip", "link", "add", name, "type", "veth", *peer])
        run(["ip", "address", "add", f"{self.own_address}/{self.subnet.prefixlen}", "dev", name])
        run(["ip", "link", "set", name, "up"])
        self._ip("link", "set", "uplink", "master", BRIDGE, "up")

    def connect(self, host_pid: int, cable: str) -> str:
        """Lay a cable to the namespace of a process; return its new address."""
        address = str(next(self._addresses))
        peer = ["peer", "name", "eth0", "netns", str(host_pid)]
        self._ip("link", "add", cable, "type", "veth", *peer)
        self._ip("link", "set", cable, "master", BRIDGE, "up")
        inside = ["nsenter", f"--target={host_pid}", "--net", "ip"]
        run([*inside, "link", "set", "lo", "up"])
        run([*inside, "address", "add", f"{address}/{self.subnet.prefixlen}", "dev", "eth0"])
        run([*inside, "link", "set", "eth0", "up"])
        return address

    def cut(self, cable: str) -> None:
        self._ip("link", "set", cable, "down")

    def mend(self, cable: str) -> None:
        self._ip("link", "set", cable, "up")

    def close(self) -> None:
        """Remove the link now; the kernel does so only a little after the holder's end."""
        subprocess.run(["ip", "link", "delete", self.name], capture_output=True, check=False)
        self._holder.communicate()

    def _ip(self, *arguments: str) -> None:
        run(["nsenter", f"--target={self.pid}", "--net", "ip", *arguments])


def _free_subnet(index: int) -> ipaddress.IPv4Network:
    """A /24 of a rarely used private range that overlaps no local route."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    taken = [
        ipaddress.ip_network(route["dst"], strict=False)
        for route in routes
        if route["dst"] != "default"
    ]
    for second in range(213, 224):
        subnet = ipaddress.IPv4Network(f"10.{second}.{index}.0/24")
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise LabError("every network from 10.213.0.0 to 10.223.0.0 is routed on this machine already")
