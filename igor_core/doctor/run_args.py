"""What docker_run_args ask of a host: published ports, GPUs, the host's network. Pure."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

_PUBLISH = re.compile(
    r"(?:(?:\[([^]]*)\]|([^:/\[]+)):(?=[\d-]*:))?"  # an address, if two more fields follow
    r"(?:(\d*)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:/(\w+))?"
)
#: The addresses that stand for all of a host, as docker and ss write them.
_ALL_ADDRESSES = ("", "*", "0.0.0.0", "::")


class PortRange(NamedTuple):
    """Ports of a host at one address (empty: at all); empty where the engine chooses the port."""

    address: str
    ports: range
    protocol: str = "tcp"

    @property
    def name(self) -> str:
        """`8888`, `9000-9002/udp`."""
        if not self.ports:
            return "a port that the engine chooses"
        first, last = self.ports[0], self.ports[-1]
        ports = str(first) if first == last else f"{first}-{last}"
        return ports if self.protocol == "tcp" else f"{ports}/{self.protocol}"

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach it."""
        try:
            return not ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return True

    def overlaps(self, other: "PortRange") -> bool:
        """Whether both can't be listened on at once."""
        at_one_address = self.address == other.address or any(
            address in _ALL_ADDRESSES for address in (self.address, other.address)
        )
        first = max(self.ports.start, other.ports.start)
        last = min(self.ports.stop, other.ports.stop)
        return at_one_address and self.protocol == other.protocol and first < last


class PublishedPort(NamedTuple):
    """Ports of a host, and the container's ports that they lead to."""

    outside: PortRange
    inside: range


@dataclass(frozen=True)
class RunArgs:
    """`gpu` says which option asks for GPUs: "gpus", "runtime", "cdi", or none."""

    ports: tuple[PublishedPort, ...]
    all_ports: bool
    gpu: Literal["", "gpus", "runtime", "cdi"]
    host_network: bool


def read_run_args(arguments: Sequence[str]) -> RunArgs:
    """Read the arguments of `docker run`. Ports that can't be read are left out."""
    ports = [published(value) for value in _values(arguments, "-p", "--publish")]
    return RunArgs(
        ports=tuple(port for port in ports if port is not None),
        all_ports=bool({"-P", "--publish-all", "--publish-all=true"} & set(arguments)),
        gpu=_gpu(arguments),
        host_network="host" in _values(arguments, "--network", "--net"),
    )


def published(value: str) -> PublishedPort | None:
    """Read `[[address:]port:]port[/protocol]`, with ranges, as in docker-run(1)."""
    match = _PUBLISH.fullmatch(value)
    if match is None:
        return None
    protocol = (match[7] or "tcp").lower()
    outside = PortRange(match[1] or match[2] or "", port_range(match[3], match[4]), protocol)
    return PublishedPort(outside, port_range(match[5], match[6]))


def port_range(first: str | None, last: str | None) -> range:
    """Empty without a first port; that one port without a last."""
    return range(int(first), int(last or first) + 1) if first else range(0)


def _gpu(arguments: Sequence[str]) -> Literal["", "gpus", "runtime", "cdi"]:
    if any(device.startswith("nvidia.com/gpu") for device in _values(arguments, "--device")):
        return "cdi"
    if "nvidia" in _values(arguments, "--runtime"):
        return "runtime"
    return "gpus" if list(_values(arguments, "--gpus")) else ""


def _values(arguments: Sequence[str], *names: str) -> Iterator[str]:
    """The values of an option, as `--name value`, `--name=value` or, for `-n`, `-nvalue`."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in names:
            yield value if equals else following
        elif not word.startswith("--") and word[:2] in names:
            yield word[2:]
