"""igor run: a file of the project by the container's Python; what can't be run, in one sentence."""

import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.support.cli_process import COMMAND, environment
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

WHO = "import os, sys\nprint(sys.executable, os.getcwd(), sys.argv)\n"
FILES = {
    "who.py": WHO,
    "sub/who.py": WHO,
    "-odd name.py": WHO,
    "status.py": "import sys\nsys.exit(int(sys.stdin.read()))\n",
    ".gitignore": "out/\n",
    "out/made.py": WHO,
}


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    hosts = [lab["apollo"], lab["enterprise"]]
    project = make_project(ssh_home / f"run-{time.time_ns() % 10**9}", hosts, FILES)
    yield project
    lab.heal()
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


@pytest.fixture
def bare(ssh_home: Path, plain_host: Host) -> Iterator[SampleProject]:
    """A project without containers."""
    name = f"run-{time.time_ns() % 10**9}"
    project = make_project(ssh_home / name, [plain_host], FILES, runtime="none")
    yield project
    project.igor("agent", "stop")


def test_the_file_runs_by_the_images_python_in_the_workspace_on_all_hosts(
    project: SampleProject,
) -> None:
    none = project.igor("run", "who.py")
    assert none.returncode == 1
    assert "igor run --setup" in none.stderr
    assert project.igor("run", "--setup", "who.py").returncode == 0
    done = project.igor("run", "who.py", "--epochs", "3", "a b;$(id)")
    assert done.returncode == 0, done.stderr
    said = "/venv/tools/bin/python /workspace ['who.py', '--epochs', '3', 'a b;$(id)']"
    assert sorted(done.stdout.splitlines()) == [f"apollo | {said}", f"enterprise | {said}"]
    assert done.stderr.count("runs who.py by /venv/tools/bin/python") == 2
    project.write("who.py", "print('changed')\n")
    assert project.igor("run", "--host", "apollo", "who.py").stdout == "changed\n"


def test_with_one_host_stdin_and_status_are_the_programs(project: SampleProject) -> None:
    assert project.igor("docker", "setup", "--host", "apollo").returncode == 0
    words = [*COMMAND, "run", "--host", "apollo", "status.py"]
    done = subprocess.run(
        words, cwd=project.root, env=environment(), input="7", text=True, capture_output=True,
        timeout=60, start_new_session=True, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "failed, exit status 7" in done.stderr


ASKS = (
    "print('who?'); import os, sys; sys.stdin.readline(); print(os.environ['PYTHONUNBUFFERED'])\n"
)


@pytest.mark.parametrize(
    ("verb", "words"), [(["run"], ["asks.py"]), (["docker", "exec"], ["python3", "asks.py"])]
)
@pytest.mark.parametrize("kind", ["project", "bare"])
def test_output_is_seen_when_it_is_printed(
    request: pytest.FixtureRequest, kind: str, verb: list[str], words: list[str]
) -> None:
    project: SampleProject = request.getfixturevalue(kind)
    project.write("asks.py", ASKS)
    at = ["--host", project.hosts[0].name]
    if kind == "project":
        assert project.igor("docker", "setup", *at).returncode == 0
    command = [*COMMAND, *verb, *at, *words]
    with subprocess.Popen(
        command, cwd=project.root, env=environment(), text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        assert run.stdin
        assert run.stdout
        assert select.select([run.stdout], [], [], 30)[0], "nothing is printed before it is asked"
        assert run.stdout.readline() == "who?\n"
        run.stdin.write("\n")
        run.stdin.close()
        assert run.stdout.read() == "1\n"


def test_the_config_can_have_python_keep_its_output_back(bare: SampleProject) -> None:
    (host,) = bare.hosts
    entry = {"host": host.name, "dir": f"{host.home}/dev", "env": {"PYTHONUNBUFFERED": ""}}
    bare.configure(runtime="none", host_groups={"dev": {"hosts": [entry]}})
    bare.write("shows.py", "import os; print(repr(os.environ['PYTHONUNBUFFERED']))\n")
    assert bare.igor("run", "shows.py").stdout == "''\n"


def test_without_containers_it_is_the_hosts_python_and_the_configs_comes_first(
    bare: SampleProject,
) -> None:
    (host,) = bare.hosts
    tree = f"{host.home}/dev/{bare.root.name}"
    done = bare.igor("run", "./-odd name.py", "--", "-x")
    assert done.stdout == f"/usr/bin/python3 {tree} ['./-odd name.py', '--', '-x']\n", done.stderr
    (bare.root / "link.py").symlink_to("sub/who.py")
    bare.configure(runtime="none", debug={"python": "/usr/bin/../bin/python3"})
    inner = bare.igor("-C", "sub", "run", "who.py")
    assert inner.stdout == f"/usr/bin/python3 {tree} ['sub/who.py']\n", inner.stderr
    assert "runs sub/who.py by /usr/bin/../bin/python3" in inner.stderr
    assert bare.igor("run", "link.py").stdout.endswith("['link.py']\n")
    assert bare.igor("run", str(bare.root / "link.py")).returncode == 0


WRONG = {
    "../elsewhere.py": "run: ../elsewhere.py is not in the project",
    "/etc/hosts": "run: /etc/hosts is not in the project",
    "nothing.py": "run: there is no nothing.py",
    "sub": "run: sub is a folder, not a program",
    "dangling.py": "run: dangling.py is a link to nothing",
    "fifo.py": "run: fifo.py is no regular file",
    "out/made.py": "run: out/made.py is not among the files that are pushed",
}


def test_what_can_not_be_run_is_one_sentence_and_no_host_is_asked(bare: SampleProject) -> None:
    (bare.root / "dangling.py").symlink_to("nowhere")
    subprocess.run(["mkfifo", str(bare.root / "fifo.py")], check=True)
    for name, sentence in WRONG.items():
        done = bare.igor("run", name)
        assert done.returncode == 2, done.stderr
        lines = [line for line in done.stderr.splitlines() if sentence in line]
        assert len(lines) == 1, done.stderr
        assert "plain" not in done.stderr, done.stderr
    assert "needs FILE [ARGS…]" in bare.igor("run").stderr


def test_a_file_that_is_held_back_is_not_run_nor_one_that_its_arguments_name(
    bare: SampleProject,
) -> None:
    (host,) = bare.hosts
    (bare.root / "link.py").symlink_to("sub/who.py")
    assert bare.igor("push").returncode == 0
    there = bare.on(host) / "sub/who.py"
    there.write_text("print('changed there')\n")
    bare.write("sub/who.py", "print('changed here')\n")
    for words in (["sub/who.py"], ["link.py"], ["who.py", "sub/who.py"]):
        done = bare.igor("run", *words)
        assert done.returncode == 255, done.stderr
        assert "sub/who.py differs on the host" in done.stderr
        assert "igor run --no-push" in done.stderr
    assert bare.igor("run", "--no-push", "sub/who.py").stdout == "changed there\n"
    assert bare.igor("run", "who.py").returncode == 0


NAMED = "no Python on plain: {}, which {} names, "


def test_a_python_that_is_named_and_missing_is_not_replaced_by_another(bare: SampleProject) -> None:
    (host,) = bare.hosts
    entry = {"host": host.name, "dir": f"{host.home}/dev", "env": {"VIRTUAL_ENV": "/opt/none"}}
    bare.configure(runtime="none", host_groups={"dev": {"hosts": [entry]}})
    by_variable = bare.igor("run", "who.py")
    assert (by_variable.returncode, by_variable.stdout) == (255, "")
    assert NAMED.format("/opt/none/bin/python", "VIRTUAL_ENV") in by_variable.stderr
    bare.configure(runtime="none", debug={"python": "python2.7"})
    by_config = bare.igor("run", "who.py")
    assert (by_config.returncode, by_config.stdout) == (255, "")
    sentence = NAMED.format("python2.7", '"debug": {"python"} in the config') + "is not on the PATH"
    assert sentence in by_config.stderr


def test_a_container_whose_tree_was_moved_runs_no_old_file(project: SampleProject) -> None:
    assert project.igor("docker", "setup", "--host", "apollo").returncode == 0
    (host, _) = project.hosts
    host.run(["mv", f"dev/{project.root.name}", f"dev/{project.root.name}-moved"], check=True)
    assert project.igor("push", "--host", "apollo").returncode == 0
    done = project.igor("run", "--host", "apollo", "who.py")
    assert (done.returncode, done.stdout) == (255, "")
    assert "was moved or removed since" in done.stderr
    assert "igor docker setup" in done.stderr
    again = project.igor("run", "--setup", "--host", "apollo", "who.py")
    assert again.stdout.startswith("/venv/tools/bin/python /workspace"), again.stderr


def test_where_there_is_no_python_that_is_said(ssh_home: Path, pythonless_host: Host) -> None:
    name = f"run-{time.time_ns() % 10**9}"
    project = make_project(ssh_home / name, [pythonless_host], FILES, runtime="none")
    done = project.igor("run", "who.py")
    assert done.returncode == 255
    assert "no Python on pythonless: there is no Python" in done.stderr
    project.igor("agent", "stop")
