"""Commands in a container: over ssh, under the supervisor, ended with all that they started."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from igor_core.container.container import bring_up
from igor_core.container.plan import plan_container
from igor_core.environment.kill_inside import ENDING, ENDING_ON_TERMINAL
from igor_core.runtime import Runtime
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Address, Login
from igor_core.ssh.process import Process
from igor_core.verbs.steps.request import shell_line
from tests.lab import Host
from tests.support.containers import Sample


@pytest.fixture
async def sample(engine_host: tuple[Host, Runtime], tmp_path: Path) -> Sample:
    host, runtime = engine_host
    sample = Sample(tmp_path, host, runtime, project="exec", docker_run_args=("--network=host",))
    sample.write("dockerfile", "FROM igor-base:latest\n")
    sample.push()
    if (await sample.inspect()).image is None:
        assert (await sample.build()).status == 0
    found = await sample.inspect()
    what = plan_container(found, sample.spec, runtime)
    await bring_up(sample.shell, runtime, sample.spec, found, what)
    return sample


@pytest.fixture
async def remote(ssh_home: Path, sample: Sample) -> AsyncIterator[RemoteHost]:
    remote = RemoteHost(Address(sample.host.name))
    await remote.connect(Login())
    yield remote
    remote.close()


async def start(
    sample: Sample, remote: RemoteHost, *argv: str, pty: tuple[int, int] | None = None
) -> Process:
    signals = ENDING if pty is None else ENDING_ON_TERMINAL
    command = sample.environment(remote).command(argv, window=pty, signals=signals)
    return await remote.start(command)


async def read_until(process: Process, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        item = await asyncio.wait_for(process.read(), 10)
        assert item is not None, seen
        seen += item[1]
    return seen


async def read_all(process: Process) -> bytes:
    seen = b""
    while (item := await asyncio.wait_for(process.read(), 10)) is not None:
        seen += item[1]
    return seen


def processes(sample: Sample, word: str) -> list[str]:
    top = sample.host.run([*sample.runtime.top(sample.spec.owner.container)], check=True).stdout
    return [line for line in top.splitlines() if word in line]


async def test_output_input_and_status_are_the_commands_own(
    sample: Sample, remote: RemoteHost
) -> None:
    process = await start(sample, remote, "sh", "-c", "cat; echo err >&2; exit 7")
    await process.write(b"typed\n")
    process.write_eof()
    assert sorted((await read_all(process)).split()) == [b"err", b"typed"]
    assert process.status == 7


async def test_arguments_arrive_as_they_are(sample: Sample, remote: RemoteHost) -> None:
    words = ["a b", "$(id)", "'\"", "", "-x", "line\nbreak", "*"]
    process = await start(sample, remote, "printf", "%s\\0", *words)
    assert await read_all(process) == "".join(f"{word}\0" for word in words).encode()


async def test_a_shell_line_is_a_shells(sample: Sample, remote: RemoteHost) -> None:
    process = await start(sample, remote, *shell_line("echo one | sed s/one/two/ && pwd"))
    assert await read_all(process) == b"two\n/workspace\n"


@pytest.mark.parametrize(
    ("line", "signal", "pty"),
    [
        ("sleep 4343; true", "INT", None),
        ("sleep 4343; true", "HUP", (80, 24)),
        # A background job of a shell without job control ignores INT (POSIX).
        ("trap '' HUP; sleep 4343 & wait", "TERM", (80, 24)),
        ("trap '' INT TERM; while :; do sleep 4343; done", "KILL", None),
    ],
)
async def test_ending_ends_all_in_the_container_and_says_how(
    sample: Sample, remote: RemoteHost, line: str, signal: str, pty: tuple[int, int] | None
) -> None:
    process = await start(sample, remote, "sh", "-c", f"echo ready; {line}", pty=pty)
    await read_until(process, b"ready")
    assert processes(sample, "4343")
    await process.end()
    assert processes(sample, "4343") == []
    assert process.ended == signal


async def test_jobs_of_an_interactive_shell_end_with_it(sample: Sample, remote: RemoteHost) -> None:
    process = await start(sample, remote, "bash", "--norc", "-i", pty=(80, 24))
    await read_until(process, b"$ ")
    await process.write(b"sleep 4444 & sleep 4445 & echo re''ady\n")
    await read_until(process, b"ready")
    assert len(processes(sample, "444")) == 2
    await process.end()
    assert processes(sample, "444") == []
    assert processes(sample, "bash") == []


async def test_the_programs_of_others_in_the_container_go_on(
    sample: Sample, remote: RemoteHost
) -> None:
    other = await start(sample, remote, "sh", "-c", "echo ready; exec sleep 4545")
    await read_until(other, b"ready")
    mine = await start(sample, remote, "sh", "-c", "echo ready; exec sleep 4546")
    await read_until(mine, b"ready")
    await mine.end()
    assert processes(sample, "4546") == []
    assert len(processes(sample, "4545")) == 1
    await other.end()


async def test_ctrl_p_reaches_the_program_on_a_terminal(sample: Sample, remote: RemoteHost) -> None:
    line = "stty raw -echo; echo ready; dd bs=1 count=2 2>/dev/null | od -An -tx1"
    process = await start(sample, remote, "sh", "-c", line, pty=(80, 24))
    await read_until(process, b"ready")
    await process.write(b"\x10\x11")
    assert b"10 11" in await read_all(process)


async def test_a_program_that_is_not_there_ends_with_127(
    sample: Sample, remote: RemoteHost
) -> None:
    process = await start(sample, remote, "no-such-program")
    assert b"no-such-program" in await read_all(process)
    assert process.status == 127


async def test_without_a_runtime_commands_run_in_the_projects_folder_with_the_hosts_variables(
    sample: Sample, remote: RemoteHost
) -> None:
    environment = sample.host_environment(remote)
    command = environment.command(["sh", "-c", "pwd; echo $A"], env={"A": "1"})
    assert (command.announce, command.end) == (False, ())
    process = await remote.start(command)
    assert await read_all(process) == f"{sample.paths.tree}\n1\n".encode()
