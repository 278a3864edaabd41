"""What a test does about an absent peer: it is skipped, or fails where all must take part."""

import os
from pathlib import Path

import pytest

from tests.lab.peers import PLUGINS_REMEDY, absent, plugin


def peers_are_required() -> bool:
    """`IGOR_REQUIRE_PEERS=1` is set where each peer has to take part."""
    return os.environ.get("IGOR_REQUIRE_PEERS") == "1"


def require_peer(*names: str) -> None:
    """Skip the test when one of these real peers is absent; fail it where all are required."""
    missing = absent(*names)
    if missing:
        do_without("; ".join(f"{peer.name} is absent: {peer.remedy}" for peer in missing))


def require_plugin(name: str) -> Path:
    """The checkout of an editor's plugin; the test is skipped without it."""
    folder = plugin(name)
    if folder is None:
        pytest.skip(f"{name} is absent: {PLUGINS_REMEDY}")
    return folder


def do_without(reason: str) -> None:
    """End the test for want of a peer."""
    if peers_are_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
