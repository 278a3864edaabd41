"""The transports of a push, each with a clone of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.support.push_means import MEANS, clear
from tests.support.pushing import Desk, desk


@pytest.fixture(params=MEANS)
def means(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def clone(
    means: str, request: pytest.FixtureRequest, lab: Lab, ssh_home: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A clone with no tree on the host yet, for each transport and each kind of host."""
    plain = means.endswith("python3")
    host: Host = request.getfixturevalue("pythonless_host") if plain else lab["apollo"]
    clear(host)
    transport = "rsync" if means == "rsync" else "receiver"
    async with desk(host, tmp_path / "project", transport=transport) as made:
        yield made


@pytest.fixture(params=["receiver", "rsync"])
async def apollo(
    request: pytest.FixtureRequest, lab: Lab, ssh_home: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A clone for one host, for each transport; a host without python3 would make no difference."""
    clear(lab["apollo"])
    async with desk(lab["apollo"], tmp_path / "project", transport=request.param) as made:
        yield made
