"""Values of variables on their way to a host: on no command line, and as they were in the end."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from igor_core.container.container import bring_up
from igor_core.container.plan import plan_container
from igor_core.debug.launch import VARIABLE, Launch
from igor_core.env_variables import KEEP, concealed, exports, in_the_open, packed, reading
from igor_core.runtime import Runtime
from igor_core.ssh.process import Command, complete
from tests.lab import Host, Lab
from tests.support.containers import Sample
from tests.support.remote import connected

SECRET = "hunter2-" + "x" * 24
VALUES = {
    "TOKEN": SECRET,
    "user": f"it's {SECRET}",
    "base": f'$({SECRET}) `x` \\ " ; &\n\tnext line {SECRET}',
    "status": f"größe 🙂 {SECRET}",
    "https_proxy": f"http://me:{SECRET}@proxy",
    "GOOGLE_API_KEY": SECRET,
    "DOCKER_PASSWORD": SECRET,
    "REGISTRY_PASSWORD": SECRET,
    "SSH_PASSPHRASE": SECRET,
    "EMPTY": "",
}
OPEN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_SPY": "seen-by-all", "A.B": "a name for no sh"}
PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_each_variable_goes_one_way() -> None:
    values = {**VALUES, **OPEN}
    assert concealed(values) == VALUES
    assert in_the_open(values) == OPEN


@pytest.mark.parametrize("word", ["docker", "podman"])
def test_no_engine_is_told_a_value_on_its_command_line(word: str) -> None:
    words = Runtime(word).exec("c", ["true"], env=VALUES)  # type: ignore[arg-type]
    assert SECRET not in "\0".join(words)
    assert all(name in words for name in VALUES)
    assert SECRET in packed(VALUES)["IGOR_ENVIRONMENT"]


def test_values_arrive_as_they_were(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f"#!/usr/bin/env python3\n{PRINT}\n")
    engine.chmod(0o755)
    words = Runtime("docker").exec("c", ["true"], env={**VALUES, **OPEN})
    # The last word of the wrapping is followed by the engine: one that says what it was given.
    words[words.index("docker")] = str(engine)
    environment = {"PATH": "/usr/bin:/bin", **packed({**VALUES, **OPEN})}
    said = json.loads(subprocess.check_output(words, env=environment))
    assert {name: said.get(name) for name in VALUES} == VALUES
    assert not [name for name in said if name.startswith("IGOR")]
    assert said["PATH"] == "/usr/bin:/bin"


def test_a_file_of_values_is_gone_when_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    kept = subprocess.check_output(KEEP, input=exports(VALUES).encode())
    (file,) = tmp_path.iterdir()
    assert kept.decode() == f"{file}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    said = json.loads(subprocess.check_output(reading(str(file), ["python3", "-c", PRINT])))
    assert {name: said.get(name) for name in VALUES} == VALUES
    assert list(tmp_path.iterdir()) == []


def test_the_debugger_is_told_no_value_on_its_command_line() -> None:
    launch = Launch(
        group="g", ident="i", words=["x.py"], grace=1.0, detach=False, subprocess=False, env=VALUES
    )
    assert SECRET not in "\0".join(launch.serve())
    assert json.loads(launch.environment[VARIABLE]) == VALUES


class Spy:
    """Whoever looks at the command lines of all processes, all the time."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = Event()
        self._thread = Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(file.read_bytes())
                except OSError:
                    continue

    @contextmanager
    def looking(self) -> Iterator["Spy"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def saw(self, text: str) -> list[bytes]:
        return [line for line in self.seen if text.encode() in line]


@pytest.fixture(params=["docker", "podman"])
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    if request.param == "docker":
        lab: Lab = request.getfixturevalue("lab")
        host: Host = lab["apollo"]
    else:
        host = request.getfixturevalue("podman_host")
    runtime = Runtime(request.param)
    sample = Sample(tmp_path, host, runtime, docker_run_args=("--network=host",))
    sample.write("dockerfile", "FROM igor-base:latest\nARG BUILT\nENV BUILT=$BUILT\n")
    return sample


async def test_no_user_of_a_host_sees_the_values_of_a_container(
    sample: Sample, ssh_home: Path
) -> None:
    sample.configure(docker_run_args=("--network=host",), docker_build_args={"BUILT": SECRET + "b"})
    sample.entry = replace(sample.entry, env={**VALUES, **OPEN})
    sample.push()
    runtime = sample.runtime
    with Spy().looking() as spy:
        async with connected(sample.host.name) as remote:
            command = sample.build_command()
            built = await complete(
                await remote.start(Command(command.argv, cwd="/", env=command.env)), command.input
            )
            assert built.status == 0, built.stderr
            found = await sample.inspect()
            plan = plan_container(found, sample.spec, runtime)
            await bring_up(remote, runtime, sample.spec, found, plan)
            program = ["python3", "-c", PRINT + "; import time; time.sleep(0.3)"]
            run = sample.environment(remote).command(program, env={"MORE": SECRET + "m"})
            done = await remote.run(run.argv, env=run.env)
    said = json.loads(done.stdout.partition(b"\n")[2])
    # The shell that announces the program passes on no variable of another name.
    expected = {**VALUES, **OPEN, "A.B": None, "MORE": SECRET + "m", "BUILT": SECRET + "b"}
    assert {name: said.get(name) for name in expected} == expected
    assert spy.saw("seen-by-all")
    assert spy.saw(SECRET) == []


async def test_nor_those_of_a_command_on_a_host_without_python(
    ssh_home: Path, pythonless_host: Host
) -> None:
    with Spy().looking() as spy:
        async with connected("pythonless") as remote:
            script = "printenv TOKEN base status; sleep 0.3; : seen-by-all"
            done = await remote.run(["sh", "-c", script], env=VALUES)
    assert done.stderr == b""
    said = "".join(f"{VALUES[name]}\n" for name in ("TOKEN", "base", "status"))
    assert done.stdout.decode() == said
    assert spy.saw("seen-by-all")
    assert spy.saw(SECRET) == []
    assert pythonless_host.run(["sh", "-c", "ls /tmp/tmp.*"]).stdout == ""


@pytest.mark.parametrize("runtime", [None, Runtime("docker")])
def test_a_lasting_repl_has_no_value_on_its_command_line(
    tmp_path: Path, runtime: Runtime | None, plain_host: Host
) -> None:
    sample = Sample(tmp_path, plain_host, Runtime("docker"))
    sample.entry = replace(sample.entry, env=VALUES)
    environment = sample.host_environment() if runtime is None else sample.environment()
    words, env, _folder = environment.marked(["python3"], "mark", {"TERM": "xterm"})
    assert SECRET not in "\0".join(words)
    assert (SECRET in str(env)) is (runtime is None)
    assert "IGOR_REPL=mark" in words
