"""Whether the ports that docker_run_args publish are free, and who reaches them. Pure."""

from collections.abc import Iterable

from igor_core.doctor.check import Check, fail, ok, warn
from igor_core.doctor.facts import Container, Listening
from igor_core.doctor.listening import Listener, on_port, overlap
from igor_core.doctor.run_args import Published, Wanted


def port_checks(
    wanted: Wanted, listening: Listening, containers: Iterable[Container], own: str
) -> list[Check]:
    """One check for each published port; `own` is the name of the project's container."""
    containers = tuple(containers)
    checks = [_one(port, listening, containers, own) for port in wanted.ports if port.first]
    return [*checks, *_exposed(wanted)]


def _one(port: Published, listening: Listening, containers: Iterable[Container], own: str) -> Check:
    name = f"port {port.name}"
    publishing = [container.name for container in containers if _publishes(container, port)]
    if own in publishing:
        return ok(name, f"published by {own}")
    if publishing:
        return fail(
            name,
            f"taken by the container {publishing[0]}",
            "stop it, or publish another port in docker_run_args",
        )
    taken = on_port(listening.sockets, port.protocol, port.address, port.ports)
    if taken:
        return fail(
            name,
            f"taken by {_holder(taken[0], listening)}",
            "end it, or publish another port in docker_run_args",
        )
    return ok(name, "free")


def _publishes(container: Container, port: Published) -> bool:
    return any(
        one.protocol == port.protocol
        and overlap(one.address, port.address)
        and one.first <= port.last
        and port.first <= one.last
        for one in container.ports
    )


def _holder(listener: Listener, listening: Listening) -> str:
    known = listening.holders.get((listener.protocol, listener.port))
    if known:
        return known
    return "a process of root" if listener.uid == 0 else f"a process of user {listener.uid}"


def _exposed(wanted: Wanted) -> list[Check]:
    ports = [
        port.name if port.first else "of the engine's choice"
        for port in wanted.ports
        if port.is_open
    ]
    if wanted.all_ports:
        ports.append("of the image (--publish-all)")
    if not ports:
        return []
    return [
        warn(
            "exposed ports",
            f"every machine that reaches the host reaches these ports of "
            f"the container: {', '.join(ports)}",
            "publish on loopback: -p "
            "127.0.0.1:PORT:PORT (docker's ports bypass the host's firewall)",
        )
    ]
