"""A test whose peer is absent is skipped, or fails if all peers are required."""

import os
from pathlib import Path

import pytest

from tests.lab.peers import PLUGINS_REMEDY, absent, plugin


def peers_are_required() -> bool:
    """Whether all peers are required: `IGOR_REQUIRE_PEERS=1`."""
    return os.environ.get("IGOR_REQUIRE_PEERS") == "1"


def require_peer(*names: str) -> None:
    """Skip the test if one of these peers is absent; fail it if all peers are required."""
    missing = absent(*names)
    if missing:
        do_without("; ".join(f"{peer.name} is absent: {peer.remedy}" for peer in missing))


def require_plugin(name: str) -> Path:
    """The checkout of a Neovim plugin; without it the test is skipped."""
    folder = plugin(name)
    if folder is None:
        pytest.skip(f"{name} is absent: {PLUGINS_REMEDY}")
    return folder


def do_without(reason: str) -> None:
    """End the test because a peer is absent."""
    if peers_are_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
