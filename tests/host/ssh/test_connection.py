"""One warm connection a host: shared while it is made, noticed when it is gone."""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.errors import HostError, NeedsLogin
from igor_core.ssh import ssh_config
from igor_core.ssh.address import Address
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login
from igor_core.ssh.process import Command, Process
from igor_core.ssh.unsupported import unsupported
from tests.lab import Host, HostPlan, Lab
from tests.support.agent_client import wait_until
from tests.support.remote import Asked, configure, connected, make_key


def sessions(host: Host) -> int:
    """How many connections the host has: sshd forks a monitor for each."""
    log = host.path("/proc")
    words = [path.joinpath("cmdline") for path in log.glob("[0-9]*")]
    return sum(b"[priv]" in _read(path) for path in words)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# -- shared while connecting


async def test_twenty_callers_at_once_share_one_connection(ssh_home: Path, lab: Lab) -> None:
    before = sessions(lab["apollo"])
    host = RemoteHost(Address("apollo"))
    await asyncio.gather(*(host.connect(Login()) for _ in range(20)))
    assert sessions(lab["apollo"]) == before + 1
    host.close()


async def test_cancelling_one_caller_does_not_cancel_the_attempt(ssh_home: Path, lab: Lab) -> None:
    host = RemoteHost(Address("apollo"))
    first = asyncio.ensure_future(host.connect(Login()))
    others = [asyncio.ensure_future(host.connect(Login())) for _ in range(3)]
    await asyncio.sleep(0.02)
    assert host.state == "connecting"
    first.cancel()
    await asyncio.gather(*others)
    assert first.cancelled()
    assert host.state == "connected"
    host.close()


async def test_a_login_with_a_user_retries_after_one_without(lab: Lab, ssh_home: Path) -> None:
    plan = lab.add(HostPlan("asks-password", docker=False, login="password"))
    host, asked = RemoteHost(Address(plan.name)), Asked(plan.password)
    background = asyncio.ensure_future(host.connect(Login()))
    await asyncio.sleep(0)
    await host.connect(asked.login())
    with pytest.raises(NeedsLogin):
        await background
    assert len(asked.questions) == 1
    host.close()


async def test_a_user_who_refuses_is_asked_once(lab: Lab, ssh_home: Path) -> None:
    plan = lab.add(HostPlan("asks-password", docker=False, login="password"))
    host, asked = RemoteHost(Address(plan.name)), Asked(None)
    for _ in range(2):
        with pytest.raises(NeedsLogin):
            await host.connect(asked.login())
    assert len(asked.questions) == 2
    assert host.state == "needs login"
    assert "password" in host.reason


# -- slow, dead, cut


@pytest.fixture
def silent(home: Path) -> Iterator[Path]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        configure(home, f"Host silent\n    HostName 127.0.0.1\n    Port {port}\n"
                  "    ConnectTimeout 1\n")  # fmt: skip
        yield home


@pytest.mark.usefixtures("silent")
async def test_a_host_that_says_nothing_is_given_up_after_connect_timeout() -> None:
    start = time.monotonic()
    with pytest.raises(HostError, match="silent does not answer"):
        async with connected("silent"):
            pass
    assert time.monotonic() - start < 15


async def test_a_host_with_a_cut_cable_gives_one_clear_error(ssh_home: Path, lab: Lab) -> None:
    configure(ssh_home, "Host *\n    ConnectTimeout 3\n")
    lab["apollo"].cut()
    host = RemoteHost(Address("apollo"))
    with pytest.raises(HostError, match=r"apollo (does not answer|can't be reached)"):
        await host.connect(Login())
    assert host.state == "offline"
    lab["apollo"].mend()
    await host.connect(Login())
    assert (await host.run(["hostname"])).stdout == b"apollo\n"
    host.close()


async def read_all(process: Process) -> bytes:
    parts = []
    while (item := await process.read()) is not None:
        parts.append(item[1])
    return b"".join(parts)


async def test_a_killed_sshd_loses_the_process_and_the_next_use_reconnects(
    ssh_home: Path, lab: Lab
) -> None:
    async with connected("apollo") as host:
        process = await host.start(Command(["sleep", "100"], cwd="/"))
        reading = asyncio.ensure_future(read_all(process))
        await asyncio.sleep(0.1)
        lab["apollo"].kill_sshd()
        await asyncio.wait_for(reading, 5)
        assert process.lost
        assert process.error == "the connection to the host was lost"
        assert host.state == "not connected"
        with pytest.raises(HostError, match="the connection to apollo was lost"):
            await host.run(["true"])
        with pytest.raises(HostError, match="apollo refuses the connection"):
            await host.connect(Login())
        lab["apollo"].start_sshd()
        await host.connect(Login())
        assert (await host.run(["hostname"])).stdout == b"apollo\n"
    wait_until(lambda: not lab["apollo"].pids("sleep"), 10)


async def test_a_cut_cable_is_noticed_and_the_remote_programs_are_killed(
    ssh_home: Path, lab: Lab
) -> None:
    """The slow one: keepalive here and heartbeat there each take half a minute."""
    async with connected("enterprise") as host:
        enterprise = lab["enterprise"]
        process = await host.start(Command(["sh", "-c", "trap '' HUP; sleep 1000"], cwd="/"))
        await asyncio.sleep(0.2)
        assert enterprise.pids("sleep")
        enterprise.cut()
        start = time.monotonic()
        await asyncio.wait_for(read_all(process), 40)
        assert 15 < time.monotonic() - start < 35
        assert process.lost
        assert host.state == "not connected"
        while enterprise.pids("sleep"):
            await asyncio.sleep(0.1)
            assert time.monotonic() - start < 45


async def test_a_stopped_supervisor_is_given_up(
    ssh_home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igor_core.ssh.remote_program.BEAT_SECONDS", 0.2)
    monkeypatch.setattr("igor_core.ssh.remote_program.SILENCE_SECONDS", 1.0)
    async with connected("apollo") as host:
        for pid in lab["apollo"].pids("python3"):
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(HostError, match="was lost"):
            await asyncio.wait_for(host.run(["true"]), 5)
        for pid in lab["apollo"].pids("python3"):
            os.kill(pid, signal.SIGCONT)


# -- algorithms


async def test_the_cipher_is_the_processors_fastest_unless_the_user_chose(
    ssh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cipher in ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"):
        monkeypatch.setattr(ssh_config, "preferred_cipher", lambda cipher=cipher: cipher)
        async with connected("apollo") as host:
            assert used(host, "send_cipher") == cipher
    configure(ssh_home, "Host apollo\n    Ciphers aes256-ctr\n")
    async with connected("apollo") as host:
        assert used(host, "send_cipher") == "aes256-ctr"


def test_the_processor_decides_on_the_cipher() -> None:
    ssh_config.preferred_cipher.cache_clear()
    has_aes = re.search(r"\baes\b", Path("/proc/cpuinfo").read_text())
    wanted = "aes128-gcm@openssh.com" if has_aes else "chacha20-poly1305@openssh.com"
    assert ssh_config.preferred_cipher() == wanted


def used(host: RemoteHost, what: str) -> object:
    (shared,) = host._connections
    return shared.connection.get_extra_info(what)


async def test_small_packets_do_not_wait_for_each_other(ssh_home: Path) -> None:
    async with connected("apollo") as host:
        (shared,) = host._connections
        found = shared.connection.get_extra_info("socket")
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# -- what igor passes over


def test_ignored_options_are_named_for_the_hosts_they_apply_to(home: Path) -> None:
    (home / ".ssh").mkdir(mode=0o700)
    make_key(home / ".ssh" / "id_ed25519")
    configure(
        home,
        "Host a\n    KnownHostsCommand /bin/x %H\n    StrictHostKeyChecking accept-new\n"
        "    PKCS11Provider /lib/x.so\n    ControlMaster auto\n    CanonicalizeHostname yes\n"
        "Host b\n    StrictHostKeyChecking yes\n    GSSAPIAuthentication no\n"
        "Host c\n    ProxyUseFdpass yes\nMatch host c exec \"true %h\"\n    RevokedHostKeys /x\n"
        "Match final host a\n    Port 1\n",
    )  # fmt: skip
    found = {name: [phrase.split(" (")[0] for phrase in unsupported(Address(name))]
             for name in "abc"}  # fmt: skip
    common = {"Match exec", "Match final"}
    assert all(common <= set(phrases) for phrases in found.values())
    assert set(found["a"]) - common == {
        "KnownHostsCommand /bin/x %H", "StrictHostKeyChecking accept-new",
        "PKCS11Provider /lib/x.so", "CanonicalizeHostname yes",
    }  # fmt: skip
    assert set(found["b"]) - common == set()
    assert set(found["c"]) - common == {"ProxyUseFdpass yes", "RevokedHostKeys /x"}


def test_an_error_in_ssh_config_names_its_line(home: Path) -> None:
    configure(home, "Host *\n    Port many\n")
    (said,) = unsupported(Address("x"))
    assert re.match(r"ssh_config can't be used: .*config line 2: Invalid Port", said)


async def test_a_refused_login_names_the_ignored_options(ssh_home: Path, lab: Lab) -> None:
    config = (ssh_home / ".ssh" / "config").read_text()
    make_key(ssh_home / "other")
    assert config
    configure(
        ssh_home,
        f"Host x\n    HostName {lab['apollo'].address}\n    User igor-lab\n"
        f"    UserKnownHostsFile {lab.ssh_config.parent}/known_hosts\n"
        f"    IdentityFile {ssh_home}/other\n    PKCS11Provider /lib/x.so\n",
    )
    with pytest.raises(HostError, match="x refuses the login") as caught:
        async with connected("x"):
            pass
    assert "PKCS11Provider /lib/x.so (keys on tokens work through ssh-agent" in caught.value.hint
