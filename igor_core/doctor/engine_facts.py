"""What a container engine says about itself, as facts. Pure."""

import re
from typing import Any

from igor_core.doctor.facts import Container, Engine
from igor_core.doctor.run_args import shown
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


def commands(runtime: Runtime) -> tuple[list[str], list[str], list[str]]:
    """The commands whose results `engine_facts` reads; they are the same for docker and podman."""
    return (
        [runtime.word, "info", "--format", "{{json .}}"],
        [runtime.word, "version", "--format", "{{.Client.Version}}"],
        [runtime.word, "ps", "--format", "{{.Names}}\t{{.Ports}}"],
    )


def engine_facts(runtime: Runtime, info: Completed, version: Completed, ps: Completed) -> Engine:
    """Read the output of the three commands; a client without a server still has a version."""
    client = _line(version.stdout)
    details = _json(info.stdout)
    described = _podman(details) if runtime.word == "podman" else _docker(details)
    error = _text(info.stderr) or "; ".join(details.get("ServerErrors") or ())
    if info.status == 0 and described.get("server"):
        return Engine(
            runtime.word, 0, "", client, containers=_containers(_text(ps.stdout)), **described
        )
    return Engine(runtime.word, info.status or 1, error, client)


def _docker(info: dict[str, Any]) -> dict[str, Any]:
    return {
        "server": str(info.get("ServerVersion") or ""),
        "rootless": any("name=rootless" in each for each in info.get("SecurityOptions") or ()),
        "data_root": str(info.get("DockerRootDir") or ""),
        "runtimes": tuple(info.get("Runtimes") or ()),
    }


def _podman(info: dict[str, Any]) -> dict[str, Any]:
    host, store = info.get("host") or {}, info.get("store") or {}
    return {
        "server": str((info.get("version") or {}).get("Version") or ""),
        "rootless": bool((host.get("security") or {}).get("rootless")),
        "data_root": str(store.get("graphRoot") or ""),
    }


def _containers(printed: str) -> tuple[Container, ...]:
    rows = (row.partition("\t") for row in printed.splitlines())
    return tuple(Container(name, shown(ports)) for name, _tab, ports in rows)


# Only the part of an engine's answer that is read below.
_NAMES = optional(items(text()))
_INFO = members(
    {},
    {
        "ServerErrors": _NAMES, "ServerVersion": optional(text(256)), "SecurityOptions": _NAMES,
        "DockerRootDir": optional(text()), "Runtimes": optional(table(anything)),
        "version": optional(members({}, {"Version": text(256)}, others=True)),
        "host": optional(
            members(
                {},
                {"security": optional(members({}, {"rootless": truth}, others=True))},
                others=True,
            )
        ),
        "store": optional(members({}, {"graphRoot": text()}, others=True)),
    },
    others=True,
)  # fmt: skip


def _json(printed: bytes) -> dict[str, Any]:
    """Return an empty table if an engine says something else."""
    try:
        found: dict[str, Any] = parsed(printed or b"{}", _INFO, "info")
    except WrongShape:
        return {}
    return found


def _line(printed: bytes) -> str:
    found = re.match(rb"\s*(\d+\.\d\S*)", printed)
    return found[1].decode("ascii", "replace") if found else ""


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace").strip()
