"""The ports that docker_run_args publish: are they free, and who can reach them? Pure."""

import re
from collections.abc import Mapping

from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.run_args import PortRange, RunArgs, port_range

#: Who has each port of a host: the name of a container, or of a program with its id.
Holders = Mapping[PortRange, str]

_COLUMN = re.compile(r"([^\s,]*):(\d{1,5})(?:-(\d{1,5}))?->[^/,]*/(\w+)")
_ROW = re.compile(r"(tcp|udp)\s+\S+\s+\S+\s+\S+\s+(\S+):(\d{1,5})\s(.*)")
_USER = re.compile(r'\("([^"]*)",pid=(\d{1,10})')


def container_ports(printed: str) -> Holders:
    """Read `name TAB ports` a line, ports as in `docker ps`: "0.0.0.0:80->80/tcp, 443/tcp"."""
    rows = (row.partition("\t") for row in printed.splitlines())
    return {
        PortRange(match[1].strip("[]"), port_range(match[2], match[3]), match[4]): name
        for name, _tab, ports in rows
        for match in _COLUMN.finditer(ports)
    }


def listening_programs(printed: str) -> Holders:
    """Read the output of `ss -Hltunp`. It names programs of the user who asks only."""
    found = {}
    for row in printed.splitlines():
        match = _ROW.match(row)
        if match:
            address = match[2].partition("%")[0].strip("[]")
            user = _USER.search(match[4])
            program = f"{user[1]} (pid {user[2]})" if user else ""
            found[PortRange(address, port_range(match[3], None), match[1])] = program
    return found


def port_checks(
    asked: RunArgs, containers: Holders, programs: Holders | None, own: str
) -> list[Check]:
    """One check for each published port, `own` being the project's container.

    `programs` is None where the host can't list them.
    """
    outside = (port.outside for port in asked.ports if port.outside.ports)
    return [_port(port, containers, programs, own) for port in outside]


def _port(port: PortRange, containers: Holders, programs: Holders | None, own: str) -> Check:
    name = f"port {port.name}"
    publishing = [holder for other, holder in containers.items() if port.overlaps(other)]
    listening = [holder for other, holder in (programs or {}).items() if port.overlaps(other)]
    if own in publishing:
        return ok(name, f"published by {own}")
    if publishing:
        remedy = "stop that container, or publish another port in docker_run_args"
        return fail(name, f"taken by the container {publishing[0]}", remedy)
    if listening:
        holder = listening[0] or "a program of another user"
        remedy = "end that program, or publish another port in docker_run_args"
        return fail(name, f"taken by {holder}", remedy)
    if programs is None:
        return skip(name, "no container has it; without ss on the host no program can be seen")
    return ok(name, "free")


def exposure_checks(asked: RunArgs, debug_port: int) -> list[Check]:
    """Warnings about ports that more people can reach than the user may have in mind."""
    checks = []
    is_open = [port for port in asked.ports if port.outside.is_open]
    names = [port.outside.name for port in is_open]
    names += ["all ports of the image (--publish-all)"] if asked.all_ports else []
    if names:
        text = f"other machines can reach these ports of the container: {', '.join(names)}"
        if any(debug_port in port.inside or debug_port in port.outside.ports for port in is_open):
            text += f"; debug_port ({debug_port}) is one, and a debugger there runs anyone's code"
        remedy = "publish on loopback: -p 127.0.0.1:PORT:PORT; igor debug needs no published port"
        checks.append(warn("exposed ports", text, remedy))
    if asked.host_network:
        checks.append(
            warn(
                "debugger",
                "with the host's network, all users of the host can reach the port of a debugger",
                "if you don't trust them, take the option out of docker_run_args",
            )
        )
    return checks


def host_exposure_check() -> Check:
    """The same for programs that run on the host itself."""
    return skip(
        "debugger",
        'with "runtime": "none", all users of the host can reach the port of a debugger',
        "if you don't trust them, debug in a container",
    )
