"""Whether programs can be debugged, and who can reach the debugger. Pure."""

from dataclasses import dataclass

from igor_core.doctor.check import Check, ok, skip, warn
from igor_core.doctor.run_args import Published, Wanted

#: Run with the project's Python: prints its path, its version and where it has debugpy.
PROBE = """\
import glob, importlib.util, os, sys
own = glob.glob(os.path.expanduser("~/.cache/igor/debugpy/*/debugpy"))
found = "its own" if importlib.util.find_spec("debugpy") else "igor's" if own else ""
print(sys.executable, "%d.%d" % sys.version_info[:2], found, sep="\\n")
"""


@dataclass(frozen=True)
class DebugPython:
    """The Python that runs debugged programs; `debugpy` says whose debugpy it has, "" for none."""

    path: str
    version: str
    debugpy: str


def debug_python(printed: str) -> DebugPython | None:
    """Read what PROBE printed; None if no Python ran it."""
    lines = [*printed.splitlines(), ""]
    return DebugPython(*lines[:3]) if len(lines) >= 3 and lines[0] else None


def exposure_checks(wanted: Wanted, debug_port: int) -> list[Check]:
    """Warn of open debugger ports: debugpy does not authenticate, so who reaches one runs code."""
    open_ports = [
        port.name if port.first else "a port of the engine's choice"
        for port in wanted.ports
        if port.is_open and _leads(port, debug_port)
    ]
    checks = [
        warn(
            "debugger",
            f"docker_run_args publish {', '.join(open_ports)}, where debug_port is {debug_port}: "
            "any program on that port, also a debugger, is open to every machine that reaches the "
            "host",
            "remove it from docker_run_args: igor debug needs no published port",
        )
    ] if open_ports else []  # fmt: skip
    if wanted.host_network:
        checks.append(
            warn(
                "debugger",
                "with the host's network a debugger's port is open to all users of the host",
                "remove the option from docker_run_args unless you trust them",
            )
        )
    return checks


def host_exposure_check() -> Check:
    """The check of a project without containers."""
    return skip(
        "debugger",
        'with "runtime": "none" a debugger\'s port is open to all users of the host',
        "debug in a container unless you trust them",
    )


def debugpy_check(python: DebugPython | None, where: str) -> Check:
    """`where` names where the Python runs: "in the container on apollo"."""
    if python is None:
        return warn("debugpy", f"no Python {where}, so debugging does not work",
                    'name it in the config: "debug": {"python": "…"}')  # fmt: skip
    name = f"{python.path} (Python {python.version})"
    if not python.debugpy:
        return warn(
            "debugpy",
            f"{name} {where} has no debugpy, so debugging does not work",
            "add it to the image, as in RUN pip install debugpy; igor debug offers to install it "
            "into the container's HOME",
        )
    return ok("debugpy", f"{name} has {'it' if python.debugpy == 'its own' else python.debugpy}")


def _leads(port: Published, debug_port: int) -> bool:
    first, last = port.inside
    return debug_port in port.ports or first <= debug_port <= last
