"""Behind which ports of this machine programs are debugged now."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from igor_core.debug.editors.endpoints import HostKey


class DebugPorts:
    """By project, group and host. The files that editors read follow them, one after the other."""

    def __init__(self) -> None:
        self.writing = asyncio.Lock()
        self._ports: dict[Path, dict[HostKey, int]] = {}

    def of(self, root: Path) -> Mapping[HostKey, int]:
        return dict(self._ports.get(root, {}))

    def opened(self, root: Path, place: HostKey, port: int) -> None:
        self._ports.setdefault(root, {})[place] = port

    def closed(self, root: Path, place: HostKey, port: int) -> None:
        """Unless another session of that host has opened one since."""
        if self._ports.get(root, {}).get(place) == port:
            del self._ports[root][place]
