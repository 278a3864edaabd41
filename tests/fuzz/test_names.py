"""Files of any name through every verb: each is one file, and nothing of a name is carried out."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab
from tests.support.agent_client import Seen, client
from tests.support.places import DOCKERFILE, make_project
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

OWNED = b"igor-owned"
NAMES = [
    b"-rf", b"--help", b"--", b"-/in", b"a\nb", b"\n", b"\r", b"\t", b"%", b"%s%n", b"%(x)s",
    b"$(touch igor-owned)", b"`touch igor-owned`", b";touch igor-owned", b"|touch igor-owned",
    b"&touch igor-owned&", b"x\ntouch igor-owned\n", b"${IFS}", b"$HOME", b"\x1b]52;c;eA==\x07",
    b"\x1b[2J", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"n" * 255, b" lead", b"trail ", b" ",
    b"*", b"?", b"[a]", b"{a,b}", b"\\", b"\\\\n", b"a\\nb", b"'", b'"', b"'\"'", b"~", b"~root",
    b"#x", b"!x", b"\xc3\xa9", b"e\xcc\x81", b"...", b"..x", b".igor-x", b"=", b"a=b", b"@x",
    b":(top)x", b":!x", b"host:x", b"nul", b"<x>", b"^x", b"+x", b"\xe2\x80\xae",
    b"\xc2\x9b2J", b"%20", b"a,b",
]  # fmt: skip


def content(name: bytes) -> bytes:
    """A program that says which one it is."""
    return b"# coding: latin-1\nprint(%d)  # \xff\r" % NAMES.index(name)


def text(name: bytes) -> str:
    return os.fsdecode(name)


WAYS: dict[str, dict[str, str]] = {
    "receiver": {"runtime": "none"},
    "rsync": {"runtime": "none", "transport": "rsync"},
    "docker": {},
}


@pytest.fixture(params=WAYS)
def project(
    request: pytest.FixtureRequest, ssh_home: Path, lab: Lab, plain_host: Host
) -> Iterator[SampleProject]:
    host = lab["apollo"] if request.param == "docker" else plain_host
    name = f"names-{time.time_ns() % 10**9}"
    project = make_project(ssh_home / name, [host], {}, **WAYS[request.param])
    project.write("dockerfile", f"{DOCKERFILE}COPY . /context\n")
    for known in NAMES:
        path = os.path.join(os.fsencode(project.root), known)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(text(path)).write_bytes(content(known))
    yield project
    owned = [*ssh_home.rglob(text(OWNED)), *Path(host.path(host.home)).rglob(text(OWNED))]
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")
    assert owned == []


def is_text(name: bytes) -> bool:
    return name.decode("utf-8", "replace").encode() == name


def in_docker(project: SampleProject) -> bool:
    return project.hosts[0].name == "apollo"


def assert_is_there(project: SampleProject) -> None:
    tree = os.fsencode(project.on(project.hosts[0]))
    for name in NAMES:
        assert Path(text(os.path.join(tree, name))).read_bytes() == content(name), name


def objects(said: str) -> list[Any]:
    """The lines of --json, as plain as such lines are."""
    assert said.isascii()
    assert "\x1b" not in said
    return [json.loads(line) for line in said.splitlines()]


def plain(said: str) -> str:
    """What a person reads, with nothing in it that a terminal would obey."""
    assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e"} & set(said), repr(said)
    return said


def ask(project: SampleProject, verb: str, **arguments: Any) -> Any:
    return Seen(client(), verb, project.root, **arguments).end()


def test_files_of_any_name_are_pushed_compared_and_taken_back(project: SampleProject) -> None:
    done = project.igor("push")
    assert done.returncode == 0, done.stderr
    plain(done.stderr)
    assert_is_there(project)
    tree = os.fsencode(project.on(project.hosts[0]))
    for name in NAMES:
        Path(text(os.path.join(tree, name))).write_bytes(b"made there\n")
        Path(text(os.path.join(os.fsencode(project.root), name))).write_bytes(b"made here\n")
    held = project.igor("push")
    assert held.returncode != 0
    plain(held.stderr)
    shown = project.igor("diff")
    assert shown.returncode == 1, shown.stderr
    assert plain(shown.stdout + shown.stderr).count("-made there") == len(NAMES)
    assert objects(project.igor("--json", "diff").stdout)
    some = [name for name in NAMES if name.startswith((b"-", b"$", b";", b"\xff", b"*", b":"))]
    for name in some:
        one = project.igor("diff", "--", text(name))
        assert plain(one.stdout).count("-made there") == 1, (name, one)
    assert objects(project.igor("--json", "status").stdout)
    plain(project.igor("status").stdout)
    for name in NAMES:
        Path(text(os.path.join(os.fsencode(project.root), name))).write_bytes(content(name))
    ours = project.igor("diff", "--ours", "--yes")
    assert ours.returncode == 0, ours.stderr
    assert_is_there(project)


@pytest.mark.parametrize("project", ["receiver", "docker"], indirect=True)
def test_files_of_any_name_run_and_are_read(project: SampleProject) -> None:
    if in_docker(project):
        setup = project.igor("docker", "setup")
        assert setup.returncode == 0, setup.stderr
    host = project.hosts[0]
    # Each run in a container takes half a second.
    for name in NAMES[1::4] if in_docker(project) else NAMES:
        number = NAMES.index(name)
        done = project.igor("run", "--", text(name))
        if in_docker(project) and not is_text(name):
            # Docker would look for another file.
            assert done.returncode != 0
            assert "is not UTF-8" in plain(done.stderr), done.stderr
            continue
        assert (done.stdout, done.returncode) == (f"{number}\n", 0), (name, done.stderr)
        plain(done.stderr)
        address = f"igor://{host.name}{host.home}/dev/{project.root.name}/{text(name)}"
        read = ask(project, "read", name=address)
        assert read["status"] == 0, (name, read)
        assert read["data"]["content"] == content(name), name
        line = f'  File "{text(name)}", line 1, in x'.encode("utf-8", "replace").decode()
        found = ask(project, "locate", line=line, column=8)["data"]
        assert found is None or Path(found["name"]).is_file(), (name, found)


@pytest.mark.parametrize("project", ["receiver", "docker"], indirect=True)
def test_a_program_of_any_name_has_its_stack_shown(project: SampleProject) -> None:
    if in_docker(project):
        assert project.igor("docker", "setup").returncode == 0
    name = b"-`touch igor-owned`$(touch igor-owned)\n;touch igor-owned\x1b]52;c;eA==\x07.py"
    file = Path(text(os.path.join(os.fsencode(project.root), name)))
    file.write_text("import sys, time\nprint('up', flush=True)\ntime.sleep(100)\n")
    running = project.start("run", "--", text(name))
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        shown = project.igor("stack")
        assert "-`touch igor-owned`" in plain(shown.stdout), shown
        assert ".py:3)" in shown.stdout
        assert objects(project.igor("--json", "stack").stdout)
    finally:
        running.terminate()
        running.communicate(timeout=60)
    for editor, made in (("vimspector", ".vimspector.json"), ("vscode", ".vscode/launch.json")):
        assert project.igor(editor).returncode == 0
        json.loads((project.root / made).read_text())


@pytest.mark.parametrize("project", ["docker"], indirect=True)
def test_files_of_any_name_are_in_the_image(project: SampleProject) -> None:
    assert project.igor("docker", "setup").returncode == 0
    digest = (
        "import hashlib, json, os\n"
        "found = {}\n"
        "for folder, _, files in os.walk(b'/context'):\n"
        "    for file in files:\n"
        "        path = os.path.join(folder, file)\n"
        "        found[path[9:].hex()] = hashlib.sha256(open(path, 'rb').read()).hexdigest()\n"
        "print(json.dumps(found))\n"
    )
    done = project.igor("docker", "exec", "--", "python3", "-c", digest)
    found = json.loads(done.stdout)
    for name in NAMES:
        assert found[name.hex()] == hashlib.sha256(content(name)).hexdigest(), name
