"""OpenSSH's server on a host, with the default settings except for how the user can log in."""

import os
import subprocess
import time
from pathlib import Path
from typing import Literal

from tests.lab.command import LabError, run, service_environment
from tests.lab.machine import Machine

#: How the user can log in: exactly one way, so that a test knows which one it saw.
Login = Literal["key", "password", "keyboard-interactive"]

PASSWORD = "correct horse"
PORT = 22
#: The name of sshd's session in the process table, by OpenSSH's version.
PROCESSES = ("sshd", "sshd-session", "sshd-auth")

CONFIG = """\
HostKey /etc/ssh/igor_lab_host_key
UsePAM yes
PermitRootLogin no
PubkeyAuthentication {key}
PasswordAuthentication {password}
KbdInteractiveAuthentication {keyboard}
PrintMotd no
AcceptEnv LANG LC_*
SetEnv XDG_RUNTIME_DIR=/run/user/{uid}
Subsystem sftp /usr/lib/openssh/sftp-server
"""


def configure(machine: Machine, user: str, uid: int, login: Login, public_key: str) -> str:
    """Write config, host key and login; return the known_hosts line without the host's name."""
    choice = {
        "key": login == "key",
        "password": login == "password",
        "keyboard": login == "keyboard-interactive",
    }
    words = {name: "yes" if chosen else "no" for name, chosen in choice.items()}
    machine.path("/etc/ssh/igor_lab_sshd_config").write_text(CONFIG.format(uid=uid, **words))
    key = "/etc/ssh/igor_lab_host_key"
    run(machine.enter(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]))
    if login == "key":
        _authorize(machine, user, uid, public_key)
    else:
        run(machine.enter(["chpasswd"]), input=f"{user}:{PASSWORD}\n")
    return machine.path(key + ".pub").read_text().strip()


def _authorize(machine: Machine, user: str, uid: int, public_key: str) -> None:
    folder = machine.path(f"/home/{user}/.ssh")
    folder.mkdir(mode=0o700)
    authorized = folder / "authorized_keys"
    authorized.write_text(public_key)
    for path in (folder, authorized):
        os.chown(path, uid, uid)


def start(machine: Machine, log: Path) -> "subprocess.Popen[bytes]":
    """Start sshd and wait until it answers."""
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/igor_lab_sshd_config"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            machine.enter(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=service_environment(),
            start_new_session=True,
        )
    _wait_until_listening(machine, process, log)
    return process


def _wait_until_listening(machine: Machine, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        # Read the kernel's table, since a connection may have to pass a cut cable.
        if f":{PORT:04X} 00000000:0000 0A" in Path(f"/proc/{machine.pid}/net/tcp").read_text():
            return
        time.sleep(0.01)
    raise LabError(f"sshd did not start; its log says: {log.read_text()[-2000:]}")
