# ruff: noqa: ASYNC221, ASYNC240
"""Logging in to real sshds: keys, ssh-agents, questions, jumps, host keys."""

import asyncio
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.errors import HostError, NeedsLogin
from igor_core.ssh import keys, login
from igor_core.ssh.address import Address
from igor_core.ssh.login import Login
from tests.lab import Host, HostPlan, Lab
from tests.support.cli_process import Terminal
from tests.support.remote import Asked, configure, connected, hostname, make_key, ssh_agent


@pytest.fixture
def entry(lab: Lab, plain_host: Host, home: Path) -> Iterator[str]:
    """The lines of ssh_config that lead to the plain host, but for a key. Its keys are restored."""
    keys = plain_host.path(".ssh/authorized_keys")
    before = keys.read_text()
    known = lab.ssh_config.parent / "known_hosts"
    yield (
        f"    HostName {plain_host.address}\n    User {plain_host.user}\n"
        f"    UserKnownHostsFile {known}\n    GlobalKnownHostsFile /dev/null\n"
    )
    keys.write_text(before)


def authorize(host: Host, public: str) -> None:
    with host.path(".ssh/authorized_keys").open("a") as file:
        file.write(public)


# -- ssh_config


async def test_host_include_alias_user_port_and_key_come_from_ssh_config(
    lab: Lab, entry: str, home: Path
) -> None:
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "others").write_text(
        f"Host al?as\n{entry}    IdentityFile {lab.private_key}\n"
    )
    configure(
        home, "Include others\n\nHost *\n    Port 2222\nMatch host nothing\n    User nobody\n"
    )
    with pytest.raises(HostError, match="refuses the connection"):
        await hostname("alias")
    configure(home, "Host alias\n    Port 22\n")
    assert await hostname("alias") == "plain"


async def test_user_and_port_of_the_config_override_ssh_config(ssh_home: Path, lab: Lab) -> None:
    configure(ssh_home, "Host apollo\n    Port 2222\n    User nobody\n")
    address = Address("apollo", user=lab["apollo"].user, port=22)
    assert await hostname(address) == "apollo"


async def test_a_key_file_that_is_missing_or_no_key_is_skipped(
    lab: Lab, entry: str, home: Path
) -> None:
    (home / "garbage").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n")
    keys = [home / "missing", home / "garbage", lab.private_key]
    lines = "".join(f"    IdentityFile {key}\n" for key in keys)
    configure(home, f"Host h\n{entry}{lines}    CertificateFile {home}/missing-cert.pub\n")
    assert await hostname("h") == "plain"


async def test_a_proxy_command_is_run_by_a_shell_with_its_tokens_expanded(
    lab: Lab, entry: str, home: Path
) -> None:
    relay = f"ssh -F {lab.ssh_config} -W %h:%p apollo 2>/dev/null | cat"
    configure(
        home,
        f"Host h\n{entry}    IdentityFile {lab.private_key}\n    ProxyCommand {relay}\n",
    )
    async with connected("h") as host:
        assert (await host.run(["hostname"])).stdout == b"plain\n"
        assert " by ssh -F" in host.endpoint[0]


async def test_a_jump_through_two_hosts_closes_with_the_connection(
    ssh_home: Path, lab: Lab, plain_host: Host
) -> None:
    configure(ssh_home, "Host plain\n    ProxyJump apollo,enterprise\n")
    async with connected("plain") as host:
        who = await host.run(["sh", "-c", "echo $SSH_CONNECTION"])
        assert who.stdout.split()[0] == lab["enterprise"].address.encode()
        assert host.endpoint[0].endswith(" via apollo,enterprise")
        assert lab["apollo"].pids("sshd")
        before = len(lab["apollo"].pids("sshd"))
    for _ in range(100):
        if len(lab["apollo"].pids("sshd")) < before:
            break
        await asyncio.sleep(0.05)
    assert len(lab["apollo"].pids("sshd")) < before


async def test_an_error_on_the_way_names_the_host_on_the_way(ssh_home: Path, lab: Lab) -> None:
    configure(ssh_home, "Host enterprise\n    ProxyJump apollo\nHost apollo\n    Port 2222\n")
    with pytest.raises(HostError, match="on the way to enterprise: apollo refuses the connection"):
        await hostname("enterprise")


async def test_jumps_in_a_circle_are_refused(ssh_home: Path) -> None:
    configure(ssh_home, "Host enterprise\n    ProxyJump apollo\nHost apollo\n"
              "    ProxyJump enterprise\n")  # fmt: skip
    with pytest.raises(HostError, match="ProxyJump leads back to this host"):
        await hostname("enterprise")


async def test_an_option_that_asyncssh_rejects_is_named_with_its_line(ssh_home: Path) -> None:
    configure(ssh_home, "Match sessiontype exec\n    Port 22\n")
    with pytest.raises(HostError, match=r"ssh_config: .*/\.ssh/config line 1: Invalid match"):
        await hostname("apollo")


# -- how long a login may take


@pytest.fixture
def slow_login(plain_host: Host) -> Iterator[None]:
    """The host's sshd waits two seconds before it takes a key, as for a directory or a phone."""
    config = plain_host.path("/etc/ssh/igor_lab_sshd_config")
    before = config.read_text()
    script = plain_host.path("/etc/ssh/slow-keys")
    script.write_text(f"#!/bin/sh\nsleep 2\ncat {plain_host.home}/.ssh/authorized_keys\n")
    script.chmod(0o755)
    config.write_text(
        "AuthorizedKeysFile none\nAuthorizedKeysCommandUser root\n"
        f"AuthorizedKeysCommand /etc/ssh/slow-keys\n{before}"
    )
    plain_host.kill_sshd()
    plain_host.start_sshd()
    yield
    config.write_text(before)
    script.unlink()
    plain_host.kill_sshd()
    plain_host.start_sshd()


async def test_connect_timeout_is_not_for_the_login_and_a_slow_one_is_told(
    ssh_home: Path, slow_login: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "SLOW_SECONDS", 1.0)
    configure(ssh_home, "Host plain\n    ConnectTimeout 1\n")
    told: list[str] = []
    assert await hostname("plain", Login(tell=told.append)) == "plain"
    assert told == ["the host takes its time to log in: a phone, or a key to touch?"]


async def test_a_login_does_not_take_for_ever(
    ssh_home: Path, slow_login: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "LOGIN_SECONDS", 1.0)
    with pytest.raises(HostError, match="plain does not answer"):
        await hostname("plain")


# -- keys and ssh-agents


async def test_only_the_ssh_agent_of_the_login_is_used(
    plain_host: Host, entry: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorize(plain_host, make_key(home / "good"))
    make_key(home / "bad")
    configure(home, f"Host h\n{entry}")
    with ssh_agent(home, "1", home / "good") as good, ssh_agent(home, "2", home / "bad") as bad:
        monkeypatch.setenv("SSH_AUTH_SOCK", good["SSH_AUTH_SOCK"])
        assert await hostname("h", Login(env=good)) == "plain"
        for env in (bad, {}):
            with pytest.raises(NeedsLogin, match="h refuses the login"):
                await hostname("h", Login(env=env))
        configure(home, f"Host h\n    IdentityAgent {good['SSH_AUTH_SOCK']}\n")
        assert await hostname("h", Login(env=bad)) == "plain"
        configure(home, "Host h\n    IdentityAgent none\n")
        with pytest.raises(NeedsLogin, match="h refuses the login"):
            await hostname("h", Login(env=good))


async def test_only_the_named_identities_of_an_agent_are_offered(
    plain_host: Host, entry: str, home: Path
) -> None:
    authorize(plain_host, make_key(home / "good"))
    others = [home / f"other{number}" for number in range(7)]
    for other in others:
        make_key(other)
    (home / "good.private").write_bytes((home / "good").read_bytes())
    (home / "good.private").chmod(0o600)
    with ssh_agent(home, "many", *others, home / "good.private") as env:
        (home / "good").unlink()  # only its public part is left, as with a key on a token
        configure(home, f"Host h\n{entry}    IdentityFile {home}/good\n    IdentitiesOnly yes\n")
        assert await hostname("h", Login(env=env)) == "plain"
        configure(home, f"Host h\n    IdentityFile {home}/none\n    IdentitiesOnly yes\n")
        (home / "good.pub").unlink()
        with pytest.raises(HostError, match="refuses the login: Permission denied"):
            await hostname("h", Login(env=env))


async def test_of_many_keys_those_that_identity_file_names_are_offered_first_and_each_once(
    plain_host: Host, entry: str, home: Path
) -> None:
    authorize(plain_host, make_key(home / "good"))
    others = [home / f"other{number}" for number in range(8)]
    for other in others:
        make_key(other)
    named = f"Host h\n{entry}    IdentityFile {home}/good\n"
    with ssh_agent(home, "named", *others, home / "good") as env:
        configure(home, named)
        assert await hostname("h", Login(env=env)) == "plain"
    with ssh_agent(home, "both", *others[:4]) as env:
        files = "".join(f"    IdentityFile {key}\n" for key in (*others[:4], home / "good"))
        configure(home, f"Host h\n{entry}{files}")
        assert await hostname("h", Login(env=env)) == "plain"


async def test_an_ssh_agent_that_does_not_answer_is_none(
    plain_host: Host, entry: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "AGENT_SECONDS", 0.3)
    authorize(plain_host, make_key(home / "good"))
    configure(home, f"Host h\n{entry}    IdentityFile {home}/good\n")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(home / "silent"))
        silent.listen()
        for path in (home / "silent", home / "nothing"):
            assert await hostname("h", Login(env={"SSH_AUTH_SOCK": str(path)})) == "plain"


async def test_an_encrypted_key_is_asked_for_again_when_the_passphrase_was_wrong(
    plain_host: Host, entry: str, home: Path
) -> None:
    authorize(plain_host, make_key(home / "locked", "open sesame"))
    configure(home, f"Host h\n{entry}    IdentityFile {home}/locked\n")
    asked = Asked("wrong", "open sesame")
    assert await hostname("h", asked.login()) == "plain"
    assert asked.questions == [
        ("h", "Passphrase for locked: ", False),
        ("h", "Wrong passphrase. Passphrase for locked: ", False),
    ]


async def test_an_encrypted_key_needs_login_if_nobody_answers(
    plain_host: Host, entry: str, home: Path
) -> None:
    authorize(plain_host, make_key(home / "locked", "open sesame"))
    configure(home, f"Host h\n{entry}    IdentityFile {home}/locked\n")
    with pytest.raises(NeedsLogin, match="h asks: Passphrase for locked:") as caught:
        await hostname("h")
    assert "ssh-add" in caught.value.hint
    with pytest.raises(NeedsLogin, match="There was no answer"):
        await hostname("h", Asked(None).login())


async def test_nobody_is_asked_when_the_ssh_agent_has_the_key(
    plain_host: Host, entry: str, home: Path
) -> None:
    authorize(plain_host, make_key(home / "locked"))
    with ssh_agent(home, "open", home / "locked") as env:
        words = ["ssh-keygen", "-p", "-q", "-P", "", "-N", "secret", "-f", str(home / "locked")]
        subprocess.run(words, check=True, capture_output=True)
        configure(home, f"Host h\n{entry}    IdentityFile {home}/locked\n")
        asked = Asked()
        assert await hostname("h", asked.login(env)) == "plain"
        assert asked.questions == []


# -- passwords


@pytest.mark.parametrize("login", ["password", "keyboard-interactive"])
async def test_a_password_is_asked_for_again_when_it_was_wrong(
    lab: Lab, ssh_home: Path, login: str
) -> None:
    host = lab.add(HostPlan(f"asks-{login[:8]}", docker=False, login=login))  # type: ignore[arg-type]
    asked = Asked("wrong", host.password)
    assert await hostname(host.name, asked.login()) == host.name
    assert [question[0] for question in asked.questions] == [host.name] * 2
    assert all("assword:" in text and not echo for _, text, echo in asked.questions)
    with pytest.raises(NeedsLogin, match=f"{host.name} asks: .*assword:"):
        await hostname(host.name)


async def test_three_wrong_passwords_are_enough(lab: Lab, ssh_home: Path) -> None:
    host = lab.add(HostPlan("asks-password", docker=False, login="password"))
    asked = Asked(*["wrong"] * 5)
    with pytest.raises(HostError, match="asks-password refuses the login"):
        await hostname(host.name, asked.login())
    assert len(asked.questions) == 3


async def test_a_jump_host_asks_in_its_own_name(lab: Lab, ssh_home: Path) -> None:
    jump = lab.add(HostPlan("asks-password", docker=False, login="password"))
    configure(ssh_home, f"Host apollo\n    ProxyJump {jump.name}\n")
    asked = Asked(jump.password)
    assert await hostname("apollo", asked.login()) == "apollo"
    assert asked.questions == [(jump.name, f"igor-lab@{jump.name}'s password: ", False)]
    with pytest.raises(NeedsLogin, match=f"on the way to apollo: {jump.name} asks"):
        await hostname("apollo")


# -- host keys


def accept(hint: str, answer: str = "yes\n") -> None:
    """Do what the hint says, in a terminal, and say yes to ssh's question."""
    line = re.split(r"(?:accept it|reinstalled): ", hint)[1]
    terminal = Terminal(command=["sh", "-c", line], env=dict(os.environ))
    terminal.wait_for("(yes/no")
    terminal.type(answer)
    assert terminal.end() == 0, terminal.screen


@pytest.fixture
def own_known_hosts(lab: Lab, plain_host: Host, ssh_home: Path) -> Path:
    """The user's own known_hosts, in a place with a space, for the plain host; empty."""
    known = ssh_home / "known hosts"
    configure(
        ssh_home,
        f'Host plain\n    UserKnownHostsFile "{known}"\n    IdentityFile {lab.private_key}\n',
    )
    return known


def shell_home(home: Path) -> None:
    """ssh takes the home from the password file: give it this one's config by name."""
    config = home / ".ssh" / "config"
    wrapper = home / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {config} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{wrapper.parent}:{os.environ['PATH']}"


@pytest.fixture
def users_ssh(ssh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    shell_home(ssh_home)


@pytest.mark.usefixtures("users_ssh")
async def test_an_unknown_host_key_is_refused_and_the_hint_fixes_it(
    own_known_hosts: Path,
) -> None:
    own_known_hosts.write_text("a line that is none\n")
    with pytest.raises(NeedsLogin, match="plain: the host key is unknown") as caught:
        await hostname("plain")
    accept(caught.value.hint)
    assert await hostname("plain") == "plain"


@pytest.mark.usefixtures("users_ssh")
@pytest.mark.parametrize("hashed", [False, True])
async def test_a_changed_host_key_is_refused_and_the_hint_fixes_it(
    own_known_hosts: Path, plain_host: Host, ssh_home: Path, hashed: bool
) -> None:
    other = make_key(ssh_home / "other host")
    own_known_hosts.write_text(f"{plain_host.address} {other}")
    if hashed:
        words = ["ssh-keygen", "-q", "-H", "-f", str(own_known_hosts)]
        subprocess.run(words, check=False, capture_output=True)
    with pytest.raises(NeedsLogin, match="plain: the host key has changed") as caught:
        await hostname("plain")
    assert "ssh-keygen -R" in caught.value.hint
    accept(caught.value.hint)
    assert await hostname("plain") == "plain"


async def test_a_host_key_alias_is_the_name_to_look_for(
    own_known_hosts: Path, plain_host: Host, ssh_home: Path
) -> None:
    own_known_hosts.write_text(f"cluster-node {plain_host.host_key}\n")
    with pytest.raises(NeedsLogin, match="the host key is unknown"):
        await hostname("plain")
    configure(ssh_home, "Host plain\n    HostKeyAlias cluster-node\n")
    assert await hostname("plain") == "plain"


async def test_a_revoked_host_key_is_refused(own_known_hosts: Path, plain_host: Host) -> None:
    key = f"{plain_host.address} {plain_host.host_key}\n"
    own_known_hosts.write_text(f"{key}@revoked {key}")
    with pytest.raises(NeedsLogin, match="the host key is marked as revoked"):
        await hostname("plain")


async def test_tokens_in_the_name_of_known_hosts_are_expanded(
    plain_host: Host, lab: Lab, ssh_home: Path
) -> None:
    (ssh_home / f"known-plain-{plain_host.address}").write_text(
        f"{plain_host.address} {plain_host.host_key}\n"
    )
    configure(ssh_home, "Host plain\n    UserKnownHostsFile %d/known-%n-%h\n")
    assert await hostname("plain") == "plain"


async def test_an_unknown_host_name_gives_one_clear_error(home: Path) -> None:
    with pytest.raises(HostError, match=r"nowhere\.invalid: no such host name"):
        await hostname("nowhere.invalid")
