"""For tests of malicious hosts: one with a fake `python3`, and one with a fake docker."""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Iterator

from tests.lab import Host
from tests.support.agent_client import ROOT

#: The real program as igor sends it, except for what `LIES` changes in it before it starts.
LIAR = """\
#!/usr/bin/python3
import json, os, struct, sys, time, zlib

def read(count, data=b""):
    while len(data) < count:
        data += os.read(0, count - len(data)) or sys.exit("the payload is cut off")
    return data

read(8)
source = zlib.decompress(read(int(read(8)))).decode().replace("module.main()", "")
space = {}
exec(source, space)
module = space["module"]
is_supervisor = hasattr(module, "Supervisor")

def flood(data):
    os.set_blocking(1, True)
    while True:
        os.write(1, data)

LIES
module.main()
"""


@contextlib.contextmanager
def program(host: Host, name: str, text: str) -> Iterator[None]:
    """Install a program of that name that the host's user finds before the real one."""
    place = host.path(f"/usr/local/bin/{name}")
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)
    try:
        yield
    finally:
        place.unlink()


@contextlib.contextmanager
def lying(host: Host, lies: str) -> Iterator[None]:
    with program(host, "python3", LIAR.replace("LIES", lies)):
        yield


def within(memory: int, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with at most this much memory and a minute of processor time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
