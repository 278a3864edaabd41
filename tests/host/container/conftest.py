"""The engines that tests of containers run with."""

import pytest

from igor_core.runtime import Runtime
from tests.lab import Host, Lab


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine_host(request: pytest.FixtureRequest) -> tuple[Host, Runtime]:
    """A host with the engine, once for each: docker, and rootless podman."""
    if request.param == "docker":
        lab: Lab = request.getfixturevalue("lab")
        return lab["apollo"], Runtime("docker")
    return request.getfixturevalue("podman_host"), Runtime("podman")
