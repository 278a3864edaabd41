"""One host of a lab: log in to it with ssh, break it, repair it, and look into it directly."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import engine, podman, sshd
from tests.lab.command import LabError, run, service_environment
from tests.lab.machine import Machine, MachineOptions
from tests.lab.network import Network
from tests.lab.slot import Slot

USER = "igor-lab"
UID = 40404
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/games"
DELAY_PORT = 2022
_DELAY = Path(__file__).with_name("delay.py")


@dataclass(frozen=True)
class HostPlan:
    """What a host has: an engine (and with it a docker client), python3, and which login."""

    name: str
    docker: bool = True
    python: bool = True
    login: sshd.Login = "key"


class Host:
    """A running host. ssh logs in at `address`, `port`, `user`; `home` is a path on the host."""

    port = sshd.PORT
    user = USER
    uid = UID
    home = f"/home/{USER}"
    password = sshd.PASSWORD

    def __init__(self, plan: HostPlan, slot: Slot, network: Network, public_key: str) -> None:
        self.plan = plan
        self.name = plan.name
        self._network = network
        self._cgroup = f"{slot.cgroup}/{plan.name}"
        self._folder = slot.folder / plan.name
        self._folder.mkdir(mode=0o711, exist_ok=True)
        options = MachineOptions(
            plan.name, str(self._folder), USER, UID, docker=plan.docker, python=plan.python
        )
        self._machine = Machine(options)
        slot.remember(self._machine.pid)
        self._cable = f"to-{plan.name}"[:15]
        self.address = network.connect(self._machine.pid, self._cable)
        self.host_key = sshd.configure(self._machine, USER, UID, plan.login, public_key)
        podman.configure(self._machine)
        self._sshd: subprocess.Popen[bytes] | None = None
        self._docker: subprocess.Popen[bytes] | None = None
        self._proxy: subprocess.Popen[str] | None = None
        self._is_cut = False

    # -- looking into the host, without ssh

    def run(
        self,
        argv: Sequence[str],
        *,
        input: str | None = None,
        check: bool = False,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[str]":
        """Run as the normal user, in the user's home, with the usual environment of a login."""
        environment = [f"HOME={self.home}", f"USER={USER}", f"LOGNAME={USER}", f"PATH={PATH}"]
        environment += ["SHELL=/bin/bash", "LANG=C.UTF-8", f"XDG_RUNTIME_DIR=/run/user/{UID}"]
        command = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups"]
        command += ["env", "-i", *environment, "sh", "-c", 'cd && exec "$@"', "sh", *argv]
        done = subprocess.run(
            self._machine.enter(command),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise LabError(f"on {self.name}, `{shlex.join(argv)}` failed: {done.stderr.strip()}")
        return done

    def path(self, inside: str) -> Path:
        """A path on the host (absolute, or from its home) as a path that the test can open."""
        return self._machine.path(f"{self.home}/{inside}" if not inside.startswith("/") else inside)

    @property
    def sshd_log(self) -> str:
        return (self._folder / "sshd.log").read_text()

    def read(self, inside: str) -> bytes:
        """The bytes of a file on the host (absolute path, or from its home)."""
        return self.path(inside).read_bytes()

    def docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run docker on the host, as the normal user."""
        return self.run(["docker", *arguments])

    def podman(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run podman on the host, rootless, as the normal user; each host has its own store."""
        return self.run(["podman", *arguments], timeout=180)

    def import_base_to_podman(self) -> None:
        """Load igor-base:latest into the user's podman (takes seconds, once for each host)."""
        podman.import_base(self._machine, self.podman)

    def pids(self, *names: str) -> list[int]:
        """Local ids of the host's processes with these names, including those in containers."""
        return self._machine.pids(*names)

    # -- breaking and repairing

    def cut(self) -> None:
        """Pull the network cable: no packet arrives or is refused."""
        self._network.cut(self._cable)
        self._is_cut = True

    def mend(self) -> None:
        self._network.mend(self._cable)
        self._is_cut = False

    def kill_sshd(self) -> None:
        """Kill the listener and all its sessions; their programs live on."""
        self._machine.kill(*sshd.PROCESSES)
        if self._sshd:
            self._sshd.wait(10)
        self._sshd = None

    def start_sshd(self) -> None:
        if self._sshd is None:
            log = self._folder / "sshd.log"
            self._sshd = sshd.start(self._machine, log)

    def kill_docker(self) -> None:
        """Kill the engine; the processes in containers live on until it starts again."""
        self._machine.kill(*engine.PROCESSES)
        if self._docker:
            self._docker.wait(10)
        self._docker = None

    def start_docker(self) -> None:
        if self._docker is None and self.plan.docker:
            log = self._folder / "dockerd.log"
            self._docker = engine.start(self._machine, self._cgroup, log)

    def stop_docker(self) -> None:
        """End the engine properly."""
        if self._docker:
            engine.stop(self._machine, self._docker)
        self._docker = None

    def delay(self, rtt_ms: float) -> None:
        """Put the ssh port this many milliseconds away, also for open connections.

        Open connections are only those made after the first call: it leads the port to a proxy.
        So call `delay(0)` before connecting where the delay shall change later.
        """
        if self._proxy is None:
            self._proxy = self._start_proxy()
        assert self._proxy.stdin is not None
        assert self._proxy.stdout is not None
        self._proxy.stdin.write(f"{rtt_ms}\n")
        self._proxy.stdin.flush()
        if self._proxy.stdout.readline() != "ok\n":
            raise LabError(f"the delay proxy of {self.name} has ended")

    def heal(self) -> None:
        """Repair what tests broke: cable, sshd, engine, delay."""
        if self._is_cut:
            self.mend()
        self.start_sshd()
        self.start_docker()
        self._stop_proxy()

    def reset(self) -> None:
        """Reset to a new host: no user process, an empty home, no container, the base image."""
        self.heal()
        run(self._machine.enter(["sh", "-c", _RESET, "sh", self.home, USER, engine.IMAGE]))

    # -- for the lab

    def import_base(self) -> None:
        engine.import_base(self._machine)

    def close(self) -> None:
        """End everything on the host."""
        if self._proxy:
            self._proxy.communicate()
        self._machine.close()
        for process in (self._sshd, self._docker):
            if process:
                process.wait(10)

    def _start_proxy(self) -> "subprocess.Popen[str]":
        ports = [str(DELAY_PORT), str(self.port)]
        proxy = subprocess.Popen(
            self._machine.enter_network([sys.executable, "-I", str(_DELAY), *ports]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=service_environment(),
            start_new_session=True,
        )
        self._redirect("-A")
        return proxy

    def _stop_proxy(self) -> None:
        """Make new connections direct again; end those through the proxy."""
        if self._proxy:
            self._redirect("-D")
            self._proxy.communicate()
            self._proxy = None

    def _redirect(self, change: str) -> None:
        rule = ["PREROUTING", "-p", "tcp", "--dport", str(self.port)]
        target = ["-j", "REDIRECT", "--to-ports", str(DELAY_PORT)]
        run(self._machine.enter(["iptables", "-t", "nat", change, *rule, *target]))


_RESET = """\
pkill -KILL -u "$2"
# Without these, podman takes the kill for a restart of the machine.
rm -rf /run/user/*/libpod /run/user/*/containers
find "$1" -mindepth 1 -maxdepth 1 ! -name .ssh ! -name '.bash*' ! -name .profile \
    ! -path "$1/.local" -exec rm -rf {} +
command -v docker >/dev/null || exit 0
docker ps -aq | xargs -r docker rm -f >/dev/null
docker images -q --no-trunc | sort -u | grep -vxF "$(docker images -q --no-trunc "$3")" |
    xargs -r docker rmi -f >/dev/null
docker builder prune -af >/dev/null
"""
