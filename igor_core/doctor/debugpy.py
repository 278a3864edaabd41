"""Has the Python that runs the project's programs debugpy? Pure."""

from typing import NamedTuple

from igor_core.doctor.check import Check, ok, warn

#: Run by the project's Python: its path, its version, and whose debugpy it has, a line each.
PROBE = """\
import glob, importlib.util, os, sys
own = glob.glob(os.path.expanduser("~/.cache/igor/debugpy/*/debugpy"))
found = "its own" if importlib.util.find_spec("debugpy") else "igor's" if own else ""
print(sys.executable, "%d.%d" % sys.version_info[:2], found, sep="\\n")
"""


class DebugPython(NamedTuple):
    """The Python that runs the project's programs; `debugpy` says whose it is, "" for none."""

    path: str
    version: str
    debugpy: str


def debug_python(printed: str) -> DebugPython | None:
    """Read what PROBE printed; None where no Python ran it."""
    lines = [*printed.splitlines(), ""]
    return DebugPython(*lines[:3]) if len(lines) >= 3 and lines[0] else None


def debugpy_check(python: DebugPython | None, where: str) -> Check:
    """`where` names where the Python runs: "in the container on apollo"."""
    if python is None:
        text = f"no Python was found {where}, so nothing can be debugged"
        return warn("debugpy", text, 'name it in the config: "debug": {"python": "…"}')
    name = f"{python.path} (Python {python.version})"
    if not python.debugpy:
        return warn(
            "debugpy",
            f"{name} {where} has no debugpy, so nothing can be debugged",
            "add it to the image: RUN pip install debugpy; or let igor debug install it",
        )
    whose = "debugpy" if python.debugpy == "its own" else f"{python.debugpy} debugpy"
    return ok("debugpy", f"{name} has {whose}")
