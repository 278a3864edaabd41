"""Hosts without python3: a session for each process, within what sshd grants."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from igor_core.errors import HostError
from igor_core.ssh.connections import SESSIONS_PER_CONNECTION
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process, complete
from tests.lab import Host, HostPlan, Lab
from tests.support.agent_client import wait_until
from tests.support.remote import connected

# Ends a group by its number, as a container's own command does; says how.
END = ["sh", "-c", 'kill -s TERM -- "-$1"; echo TERM', "igor", "{pid}"]


@pytest_asyncio.fixture
async def host(ssh_home: Path, pythonless_host: Host) -> AsyncIterator[RemoteHost]:
    async with connected("pythonless") as found:
        assert not found.has_supervisor
        yield found


def sh(script: str, **options: object) -> Command:
    return Command(["sh", "-c", script], cwd="/", **options)  # type: ignore[arg-type]


async def output(process: Process) -> bytes:
    parts = []
    while (item := await process.read()) is not None:
        parts.append(item[1])
    return b"".join(parts)


async def test_commands_run_without_python3_and_the_reason_is_known(host: RemoteHost) -> None:
    assert "python3: not found" in host.why_no_supervisor
    assert (host.account.user, host.account.home) == ("igor-lab", "/home/igor-lab")
    data = bytes(range(256)) * 5000
    words = ["a\nb", "c\\d!", "$(id)'\"`", "caf\udce9", ""]
    done = await host.run(["sh", "-c", 'printf "%s|" "$@" >&2; cat', "sh", *words], input=data)
    assert done.stdout == data
    assert done.stderr == "|".join([*words, ""]).encode("utf-8", "surrogateescape")
    assert (await host.run(["pwd"], cwd="/tmp", env={"A": "b c"})).stdout == b"/tmp\n"
    assert (await host.run(["sh", "-c", "exit 7"])).status == 7
    assert (await host.run(["sh", "-c", "kill -9 $$"])).status == 128 + 9
    assert (await host.run(["no-such-program"])).status == 127


def sessions(host: RemoteHost) -> list[int]:
    return [shared.sessions for shared in host._connections]


async def test_thirty_processes_at_once_stay_within_the_budget(host: RemoteHost) -> None:
    await host.run(["rm", "-f", "gate"])
    script = "until [ -e gate ]; do sleep 0.1; done; echo x"
    runs = [asyncio.ensure_future(host.run(["sh", "-c", script])) for _ in range(30)]
    await asyncio.to_thread(wait_until, lambda: sum(sessions(host)) == 30)
    assert max(sessions(host)) <= SESSIONS_PER_CONNECTION
    assert len(sessions(host)) == 4
    await host.run(["touch", "gate"])
    done = await asyncio.gather(*runs)
    assert {one.stdout for one in done} == {b"x\n"}
    assert sum(sessions(host)) == 0


@pytest.fixture
def narrow_host(lab: Lab) -> Iterator[Host]:
    """A host whose sshd grants two sessions a connection."""
    host = lab.add(HostPlan("pythonless", docker=False, python=False))
    config = host.path("/etc/ssh/igor_lab_sshd_config")
    before = config.read_text()
    config.write_text(before + "MaxSessions 2\n")
    host.kill_sshd()
    host.start_sshd()
    yield host
    config.write_text(before)
    host.kill_sshd()
    host.start_sshd()


async def test_a_host_with_a_lower_session_limit_gets_further_connections(
    ssh_home: Path, narrow_host: Host
) -> None:
    async with connected("pythonless") as host:
        runs = [host.run(["sh", "-c", "sleep 0.5; echo x"]) for _ in range(6)]
        assert {one.stdout for one in await asyncio.gather(*runs)} == {b"x\n"}
        assert sum(sessions(host)) == 0
        again = [host.run(["echo", "y"]) for _ in range(6)]
        assert {one.stdout for one in await asyncio.gather(*again)} == {b"y\n"}


async def test_a_reader_that_stops_blocks_its_own_program_and_loses_nothing(
    host: RemoteHost,
) -> None:
    stuck = await host.start(sh("seq 2000000"))
    first = await stuck.read()
    assert first is not None
    await asyncio.sleep(0.7)
    held = sum(len(data) for _stream, data in stuck._output)
    assert held < 5_000_000
    assert (await host.run(["echo", "other"])).stdout == b"other\n"
    assert (first[1] + await output(stuck)).endswith(b"\n1999999\n2000000\n")


async def test_a_program_that_does_not_read_blocks_its_writer(host: RemoteHost) -> None:
    process = await host.start(sh("sleep 1; wc -c"))
    writing = asyncio.ensure_future(process.write(b"x" * 20_000_000))
    await asyncio.sleep(0.7)
    assert not writing.done()
    await writing
    process.write_eof()
    assert await output(process) == b"20000000\n"


async def test_a_process_is_killed_with_its_session_and_names_the_signal(
    host: RemoteHost, pythonless_host: Host
) -> None:
    process = await host.start(
        Command(["bash", "-c", "set -m; sleep 91 & trap '' INT; echo ready; sleep 92"], cwd="/")
    )
    assert await process.read() == ("stdout", b"ready\n")
    await asyncio.wait_for(process.end(), 15)
    assert process.ended == "TERM"
    left = pythonless_host.run(["pgrep", "-f", "^sleep 9[12]"])
    assert left.returncode == 1, left.stdout


async def test_a_program_in_a_container_is_killed_with_its_end_command(host: RemoteHost) -> None:
    inner = "printf '\\036igor-pid:%s\\n' $$; echo out; sleep 100"
    process = await host.start(
        Command(["setsid", "-w", "sh", "-c", inner], cwd="/", announce=True, end=END)
    )
    assert await process.read() == ("stdout", b"out\n")
    await asyncio.wait_for(process.end(), 15)
    assert process.ended == "TERM"


async def test_a_terminal_has_a_size_and_can_be_resized(host: RemoteHost) -> None:
    script = "stty size; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"
    process = await host.start(sh(script, pty=(100, 30)))
    said = b""
    while b"ready" not in said:
        item = await process.read()
        assert item
        said += item[1]
    assert b"30 100" in said
    process.resize(132, 50)
    assert b"50 132" in await asyncio.wait_for(output(process), 10)
    assert process.status == 5


async def test_signals_reach_the_process(host: RemoteHost) -> None:
    process = await host.start(sh("trap 'echo usr; exit 4' USR1; echo ready; "
                                  "while :; do sleep 0.05; done"))  # fmt: skip
    assert await process.read() == ("stdout", b"ready\n")
    process.signal("USR1")
    assert b"usr\n" in await asyncio.wait_for(output(process), 10)
    assert process.status == 4


async def test_a_login_shell_that_prints_is_not_taken_for_the_program(
    host: RemoteHost, pythonless_host: Host
) -> None:
    bashrc = pythonless_host.path(".bashrc")
    before = bashrc.read_text()
    bashrc.write_text("echo Welcome; echo to this host\n" + before)
    try:
        assert (await host.run(["echo", "x"])).stdout == b"x\n"
        async with connected("pythonless") as again:
            assert again.account.home == "/home/igor-lab"
        process = await host.start(sh("sleep 100"))
        await asyncio.wait_for(process.end(), 10)
        assert process.ended == "INT"
    finally:
        bashrc.write_text(before)


async def test_an_account_without_a_shell_gives_one_clear_error(
    ssh_home: Path, pythonless_host: Host
) -> None:
    passwd = pythonless_host.path("/etc/passwd")
    before = passwd.read_text()
    passwd.write_text(
        before.replace("/home/igor-lab:/bin/bash", "/home/igor-lab:/usr/sbin/nologin")
    )
    try:
        with pytest.raises(HostError, match="pythonless can't run commands: This acc"):
            async with connected("pythonless"):
                pass
    finally:
        passwd.write_text(before)


async def test_a_killed_sshd_loses_the_process(host: RemoteHost, pythonless_host: Host) -> None:
    process = await host.start(sh("sleep 93"))
    await asyncio.sleep(0.2)
    pythonless_host.kill_sshd()
    done = await asyncio.wait_for(complete(process, b""), 10)
    assert process.lost
    assert b"the connection to the host was lost" in done.stderr
    assert host.state == "not connected"
    wait_until(lambda: not sessions(host))
    pythonless_host.run(["pkill", "-f", "^sleep 93"])
