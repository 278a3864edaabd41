"""What a container engine says of itself, as facts. Pure."""

import re
from dataclasses import dataclass, field
from typing import Any

from igor_core.doctor.ports import Holders, container_ports
from igor_core.runtime import Runtime
from igor_core.shapes import (
    WrongShape,
    anything,
    items,
    members,
    optional,
    parsed,
    table,
    text,
    truth,
)
from igor_core.ssh.process import Completed


@dataclass(frozen=True)
class Engine:
    """A container engine. Where it can't be used, `error` is what its client printed.

    `status` is the exit status of that client, 0 where the engine works; `client` and `server`
    are versions, empty if unknown. `ports` are those of all running containers.
    """

    word: str
    status: int
    error: str
    client: str
    server: str = ""
    rootless: bool = False
    data_root: str = ""
    runtimes: tuple[str, ...] = ()
    ports: Holders = field(default_factory=dict)


def commands(runtime: Runtime) -> tuple[list[str], list[str], list[str]]:
    """The commands whose results `engine_facts` reads; the same words for docker and podman."""
    return (
        [runtime.word, "info", "--format", "{{json .}}"],
        [runtime.word, "version", "--format", "{{.Client.Version}}"],
        [runtime.word, "ps", "--format", "{{.Names}}\t{{.Ports}}"],
    )


def engine_facts(runtime: Runtime, info: Completed, version: Completed, ps: Completed) -> Engine:
    """Read what the three commands printed. A client without its server still has a version."""
    found = re.match(rb"\s*(\d+\.\d\S*)", version.stdout)
    client = found[1].decode("ascii", "replace") if found else ""
    details = _json(info.stdout)
    described = _podman(details) if runtime.word == "podman" else _docker(details)
    if info.status == 0 and described["server"]:
        ports = container_ports(_text(ps.stdout))
        return Engine(runtime.word, 0, "", client, ports=ports, **described)
    error = _text(info.stderr) or "; ".join(details.get("ServerErrors") or ())
    return Engine(runtime.word, info.status or 1, error, client)


def _docker(info: dict[str, Any]) -> dict[str, Any]:
    return {
        "server": info.get("ServerVersion") or "",
        "rootless": any("name=rootless" in each for each in info.get("SecurityOptions") or ()),
        "data_root": info.get("DockerRootDir") or "",
        "runtimes": tuple(info.get("Runtimes") or ()),
    }


def _podman(info: dict[str, Any]) -> dict[str, Any]:
    host, store = info.get("host") or {}, info.get("store") or {}
    return {
        "server": (info.get("version") or {}).get("Version") or "",
        "rootless": bool((host.get("security") or {}).get("rootless")),
        "data_root": store.get("graphRoot") or "",
    }


def _some(**known: Any) -> Any:
    """An object with members that are read here, and any others."""
    return optional(members({}, known, others=True))


_NAMES = optional(items(text()))
_INFO = _some(
    ServerErrors=_NAMES,
    ServerVersion=optional(text(256)),
    SecurityOptions=_NAMES,
    DockerRootDir=optional(text()),
    Runtimes=optional(table(anything)),
    version=_some(Version=text(256)),
    host=_some(security=_some(rootless=truth)),
    store=_some(graphRoot=text()),
)


def _json(printed: bytes) -> dict[str, Any]:
    """Nothing where an engine prints something else."""
    try:
        found: dict[str, Any] | None = parsed(printed or b"{}", _INFO, "info")
    except WrongShape:
        return {}
    return found or {}


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace").strip()
