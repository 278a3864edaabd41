"""From the output of the script and the engine to facts."""

import re
from collections.abc import Mapping

from igor_core.doctor.facts import (
    Access,
    Gpu,
    HostFacts,
    Listening,
    LoginShell,
    Place,
    Space,
    Tools,
)
from igor_core.doctor.listening import listeners
from igor_core.paths import HostPaths


def parse(printed: bytes, paths: HostPaths) -> HostFacts:
    """Read the script's output; facts that it lacks are empty."""
    fields = [field.decode("utf-8", "replace").strip() for field in printed.split(b"\0")]
    names = fields[:-1:2]
    said = dict(zip(names, fields[1::2], strict=False))
    toolkit = tuple(
        value for name, value in zip(names, fields[1::2], strict=False) if name == "toolkit"
    )
    return HostFacts(
        tools=_tools(said),
        place=_place(said, paths),
        space=space(said.get("space", "")),
        shell=_shell(said),
        access=_access(said),
        gpu=Gpu(said.get("driver", ""), toolkit, said.get("cdi", "")),
        listening=_listening(said),
    )


def _tools(said: Mapping[str, str]) -> Tools:
    fit = {
        "find": re.fullmatch(r"\d+\.\d{6,}", said.get("find", "")) is not None,
        "xargs": said.get("xargs") == "2",
        "sha256sum": said.get("sha256sum") == "e3b0c442",
        "stat": said.get("stat") == "directory",
    }
    return Tools(
        said.get("python3", ""),
        said.get("rsync", ""),
        said.get("tar", ""),
        tuple(name for name, does in fit.items() if not does),
    )


def _place(said: Mapping[str, str], paths: HostPaths) -> Place:
    return Place(
        path=paths.base,
        dir=said.get("dir", "absent"),
        nearest=said.get("nearest", ""),
        nearest_kind=said.get("nearest_kind", "absent"),
        write_error=said.get("write", ""),
        tree_path=paths.tree,
        tree=said.get("tree", "absent"),
        tree_writable="tree_writable" in said,
        private_path=paths.private,
        private=said.get("private", "absent"),
        private_writable="private_writable" in said,
    )


def space(row: str) -> Space | None:
    """Read a row of GNU df; None without one."""
    fields = row.split(None, 5)
    if len(fields) < 6:
        return None
    size, free, files, free_files = (_count(field) for field in fields[1:5])
    return Space(fields[0], size, free, files, free_files, fields[5])


def _count(field: str) -> int:
    return int(field) if re.fullmatch("[0-9]{1,18}", field) else 0


def _shell(said: Mapping[str, str]) -> LoginShell:
    times = said.get("shell_times", "").split()
    seconds = None
    if len(times) == 2 and all(re.fullmatch("[0-9]{16,20}", moment) for moment in times):
        seconds = (int(times[1]) - int(times[0])) / 1e9
    return LoginShell(said.get("shell", ""), seconds, said.get("shell_says", ""))


def _access(said: Mapping[str, str]) -> Access:
    return Access(
        said.get("user", ""),
        "engine" in said,
        said.get("engine_host", ""),
        said.get("socket_group", ""),
        said.get("own_socket", ""),
        tuple(said.get("groups_now", "").split()),
        tuple(said.get("groups_next", "").split()),
    )


def _listening(said: Mapping[str, str]) -> Listening:
    sockets = [
        listener
        for table in ("tcp", "tcp6", "udp", "udp6")
        for listener in listeners(said.get(table, ""), table[:3])
    ]
    return Listening(tuple(sockets), _holders(said.get("holders", "")))


def _holders(printed: str) -> dict[tuple[str, int], str]:
    """Read rows of `ss -Hltunp`: users:(("python3",pid=12,fd=3))."""
    found = {}
    for row in printed.splitlines():
        fields = row.split()
        holder = re.search(r'users:\(\("([^"]*)",pid=([0-9]{1,10})', row)
        if holder and len(fields) > 4:
            port = fields[4].rpartition(":")[2]
            found[(fields[0], _count(port))] = f"{holder[1]} (pid {holder[2]})"
    return found
