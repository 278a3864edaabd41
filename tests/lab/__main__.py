"""Run lab hosts by hand: python -m tests.lab up [N] | down | check."""

import argparse
import contextlib
import json
import signal
import sys
from types import FrameType

from tests.lab import Lab, LabError, slot
from tests.lab.cache import cache_folder
from tests.lab.peers import PEERS


def up(count: int) -> int:
    """Start hosts and keep them running until ctrl-c."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), Lab(hosts=count) as lab:
        for host in lab.hosts:
            print(f"{host.name}: {host.user}@{host.address}, with its own sshd and docker")
        print(f"\nTo log in:  ssh -F {lab.ssh_config} {lab.hosts[0].name}")
        print(f"For igor, as the first line of ~/.ssh/config:\n    Include {lab.ssh_config}")
        print("A project's .igor/config.json (its dockerfile starts with FROM igor-base:latest):")
        print(json.dumps(lab.project_config(), indent=2))
        print(f"\nPress ctrl-c to end it. Its files are in {cache_folder()}.", flush=True)
        signal.pause()
    print("The lab has ended.")
    return 0


def down() -> int:
    """Remove the leftovers of killed labs; name running labs and leave them alone."""
    cleared = slot.clear_leftovers()
    print(f"removed: {', '.join(cleared)}" if cleared else "no leftovers")
    for phrase in slot.in_use():
        print(f"still running (end it in its terminal): {phrase}")
    return 0


def check() -> int:
    """List each real peer; return 1 if one is absent."""
    states = [(peer, peer.is_present()) for peer in PEERS]
    for peer, is_present in states:
        print(f"{peer.name:12} {'present' if is_present else 'absent: ' + peer.remedy}")
    return 0 if all(is_present for _, is_present in states) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser(
        "up", help="start hosts, print how to reach them, and wait for ctrl-c"
    )
    starting.add_argument("hosts", type=int, nargs="?", default=2, choices=range(1, 9))
    commands.add_parser("down", help="remove the leftovers of killed labs")
    commands.add_parser("check", help="list the real peers that the tests need")
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            return up(arguments.hosts)
        return down() if arguments.command == "down" else check()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
