"""What docker_run_args require of a host: published ports and GPUs."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from igor_core.doctor.listening import EVERYWHERE

_PORTS = re.compile(r"(\d*)(?:-(\d+))?")
_SHOWN = re.compile(r"^(.*):(\d+)(?:-(\d+))?->[^/]*/(\w+)$")


@dataclass(frozen=True)
class Published:
    """Ports `first` to `last` of a host that lead into a container; 0: the engine chooses one.

    `inside` are the first and last of the ports there that they lead to, 0 where it isn't known.
    """

    address: str
    first: int
    last: int
    protocol: str = "tcp"
    inside: tuple[int, int] = field(default=(0, 0), compare=False)

    @property
    def ports(self) -> range:
        return range(self.first, self.last + 1) if self.first else range(0)

    @property
    def name(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return ports if self.protocol == "tcp" else f"{ports}/{self.protocol}"

    @property
    def is_open(self) -> bool:
        """Whether other machines reach it."""
        return self.address in EVERYWHERE or not _is_loopback(self.address)


@dataclass(frozen=True)
class Wanted:
    """`gpu` is the option that asks for GPUs: "gpus", "runtime", "cdi", or none."""

    ports: tuple[Published, ...]
    all_ports: bool
    gpu: Literal["", "gpus", "runtime", "cdi"]
    host_network: bool = False


def wanted(arguments: Sequence[str]) -> Wanted:
    """Read the arguments of `docker run`; ports that cannot be read are left out."""
    ports = [published(value) for value in _values(arguments, "-p", "--publish")]
    return Wanted(
        tuple(port for port in ports if port is not None),
        bool({"-P", "--publish-all", "--publish-all=true"} & set(arguments)),
        _gpu(arguments),
        "host" in _values(arguments, "--network", "--net"),
    )


def published(value: str) -> Published | None:
    """`[[address:]port:]port[/protocol]`, with ranges, as docker-run(1) has it."""
    rest, _, protocol = value.partition("/")
    address, host = "", ""
    if rest.startswith("["):
        address, _, rest = rest[1:].partition("]:")
    front, colon, inside = rest.rpartition(":")
    if colon:
        before, colon, host = front.rpartition(":")
        address = before if colon else address
    return _range(address, host, protocol or "tcp", inside)


def shown(column: str) -> tuple[Published, ...]:
    """The ports in `ps`'s column: "0.0.0.0:80->80/tcp, :::80->80/tcp, 443/tcp"."""
    found = (_SHOWN.match(part.strip()) for part in column.split(","))
    return tuple(
        Published(match[1].strip("[]"), int(match[2]), int(match[3] or match[2]), match[4])
        for match in found
        if match
    )


def _range(address: str, host: str, protocol: str, inside: str) -> Published | None:
    match, there = _PORTS.fullmatch(host), _PORTS.fullmatch(inside)
    if match is None:
        return None
    first, last = _ends(match)
    return Published(address, first, last, protocol.lower(), _ends(there) if there else (0, 0))


def _ends(match: "re.Match[str]") -> tuple[int, int]:
    first = int(match[1] or 0)
    return first, int(match[2] or first)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


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
