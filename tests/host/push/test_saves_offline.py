"""Saves while a host is out of reach, or the agent or receiver dies: kept, and sent later."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from igor_core import directories
from tests.lab import Host, HostPlan, Lab
from tests.support.agent_client import kill_agent, wait_until
from tests.support.following import Editor, FollowedProject, of

# Keepalives notice a cut cable after two intervals of ten seconds.
NOTICED = 40.0


@pytest.fixture
def hosts(lab: Lab, ssh_home: Path) -> list[Host]:
    return [lab["apollo"], lab["enterprise"]]


@pytest.fixture
def project(hosts: list[Host], tmp_path: Path) -> Iterator[FollowedProject]:
    made = FollowedProject(tmp_path / "project", hosts)
    made.write("main.py", "print(1)")
    made.write("old.py", "to be deleted")
    yield made
    said = directories.log_path().read_text()
    print(said)
    assert "Traceback" not in said


@pytest.fixture
def editor(project: FollowedProject) -> Editor:
    project.trust()
    made = Editor(project)
    made.until_fresh()
    return made


def test_a_host_that_says_nothing_any_more_is_found_out_and_gets_all_later(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.cut()
    for number in range(3):
        project.write("main.py", f"saved {number}")
        editor.save("main.py")
        project.arrives("main.py", hosts=[enterprise])
    project.write("new.py", "new")
    (project.root / "old.py").unlink()
    editor.look()
    project.arrives("new.py", "old.py", hosts=[enterprise])
    editor.until(lambda event: of(event, "enterprise")["state"] == "fresh")
    # Both take half a minute, so do them at once.
    (stopped,) = project.receivers(enterprise)
    os.kill(stopped, signal.SIGSTOP)
    project.write("main.py", "by another receiver")
    editor.save("main.py")
    editor.until(lambda event: of(event, "enterprise")["state"] == "syncing")
    told = editor.until(lambda event: of(event, "apollo")["state"] == "offline", NOTICED)
    assert of(told, "apollo")["pending"] == 3
    assert time.time() - NOTICED < of(told, "apollo")["since"] < time.time()
    assert of(told, "apollo")["error"]
    assert (project.on(apollo) / "main.py").read_text() == "print(1)"
    apollo.mend()
    editor.look()
    project.all_arrives(apollo)
    editor.until_fresh(NOTICED)
    project.all_arrives(enterprise)


def test_a_host_that_is_away_from_the_start_delays_nobody_and_gets_all_later(
    project: FollowedProject, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.kill_sshd()
    project.trust()
    editor = Editor(project)
    told = editor.until(lambda event: of(event, "apollo")["state"] == "offline")
    assert of(told, "apollo")["error"]
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.arrives("main.py", hosts=[enterprise])
    apollo.start_sshd()
    # Without any save or look, igor tries again.
    editor.until_fresh()
    project.all_arrives()


def test_a_host_whose_sshd_dies_is_found_again(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.kill_sshd()
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.arrives("main.py", hosts=[enterprise])
    editor.until(lambda event: of(event, "apollo")["state"] == "offline")
    apollo.start_sshd()
    editor.until_fresh()
    project.all_arrives()


def test_what_was_saved_for_a_lost_host_survives_the_agent(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.kill_sshd()
    project.write("main.py", "meanwhile")
    editor.save("main.py")
    project.arrives("main.py", hosts=[enterprise])
    kill_agent()
    editor = Editor(project)
    editor.until(lambda event: of(event, "apollo")["state"] == "offline")
    apollo.start_sshd()
    editor.until_fresh()
    project.all_arrives()


def test_no_background_ever_asks_for_a_password(
    lab: Lab, hosts: list[Host], ssh_home: Path, tmp_path: Path
) -> None:
    asking = lab.add(HostPlan("asking", docker=False, login="password"))
    project = FollowedProject(tmp_path / "project", [hosts[0], asking])
    project.write("main.py", "print(1)")
    project.trust()
    editor = Editor(project)
    told = editor.until(
        lambda event: [host["state"] for host in event["hosts"]] == ["fresh", "needs login"]
    )
    assert of(told, "asking")["error"]
    for number in range(3):
        project.write("main.py", f"saved {number}")
        editor.save("main.py")
        editor.look()
    project.arrives("main.py", hosts=[hosts[0]])
    editor.until(
        lambda event: [host["state"] for host in event["hosts"]] == ["fresh", "needs login"]
    )
    assert not project.on(asking).exists()
    # The user types a command, and the password.
    asked = project.answering("push", asking.password)
    assert asked == 1
    editor.until_fresh()
    project.write("main.py", "after the login")
    editor.save("main.py")
    project.arrives("main.py")


def refuse(host: Host) -> Callable[[], None]:
    """Have the host refuse the login; returns what undoes it."""
    keys = host.path(".ssh/authorized_keys")
    before = keys.read_text()
    keys.write_text("")
    return lambda: keys.write_text(before) and None


def logins(host: Host) -> int:
    """Count the logins that came to nothing."""
    return host.sshd_log.count("[preauth]")


def test_a_login_that_a_person_must_mend_is_not_tried_again_by_itself(
    plain_host: Host, ssh_home: Path, tmp_path: Path
) -> None:
    project = FollowedProject(tmp_path / "project", [plain_host])
    project.write("main.py", "print(1)")
    project.trust()
    undo, before = refuse(plain_host), logins(plain_host)
    try:
        editor = Editor(project)
        told = editor.until(lambda event: of(event, "plain")["state"] == "needs login")
        assert "refuses the login: Permission denied" in of(told, "plain")["error"]
        wait_until(lambda: logins(plain_host) == before + 1)
        for number in range(5):
            project.write("main.py", f"saved {number}")
            editor.save("main.py")
            editor.look()
        # A fresh look of a person tries once.
        second = Editor(project)
        second.until(lambda event: of(event, "plain")["state"] == "needs login")
        wait_until(lambda: logins(plain_host) == before + 2)
        undo()
        assert project.call("push")["status"] == 0
        editor.until_fresh()
    finally:
        undo()


def test_a_receiver_that_was_killed_is_replaced(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    for number in range(3):
        killed = [pid for host in hosts for pid in project.receivers(host)]
        assert killed
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        project.write("main.py", f"saved {number}")
        editor.save("main.py")
        project.arrives("main.py")
        editor.until_fresh()
        project.all_arrives()


def test_a_receiver_that_hangs_delays_no_other_host(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    (stopped,) = project.receivers(apollo)
    os.kill(stopped, signal.SIGSTOP)
    try:
        for number in range(5):
            project.write("main.py", f"saved {number}")
            editor.save("main.py")
            project.arrives("main.py", hosts=[enterprise])
        told = editor.until(
            lambda event: [host["state"] for host in event["hosts"]] == ["syncing", "fresh"]
        )
        assert of(told, "apollo")["pending"] == 1
        assert (project.on(apollo) / "main.py").read_text() == "print(1)"
    finally:
        os.kill(stopped, signal.SIGCONT)
    project.arrives("main.py")
    editor.until_fresh()


def test_one_that_writes_on_the_host_while_it_is_away_is_not_overwritten(
    project: FollowedProject, editor: Editor, hosts: list[Host]
) -> None:
    apollo, enterprise = hosts
    apollo.kill_sshd()
    project.write_there(apollo, "main.py", "theirs")
    project.write_there(apollo, "results.csv", "theirs")
    project.write("main.py", "ours")
    project.write("old.py", "ours")
    editor.save("main.py", "old.py")
    project.arrives("main.py", "old.py", hosts=[enterprise])
    editor.until(lambda event: of(event, "apollo")["state"] == "offline")
    apollo.start_sshd()
    told = editor.until_fresh()
    assert of(told, "apollo")["held_back"] == ["main.py"]
    assert (project.on(apollo) / "main.py").read_text() == "theirs"
    assert (project.on(apollo) / "results.csv").read_text() == "theirs"
    project.arrives("old.py")
