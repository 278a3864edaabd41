"""Real hosts on one machine: a context manager that starts them and removes everything it made."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.lab import engine, slot
from tests.lab.command import LabError, run
from tests.lab.host import Host, HostPlan
from tests.lab.network import Network

NAMES = ("apollo", "enterprise", "discovery", "endeavour", "voyager", "pioneer", "galileo", "juno")

SSH_CONFIG = """\
Host {host.name}
    HostName {host.address}
    Port {host.port}
    User {host.user}
    {login}
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes

"""


class Lab:
    """N hosts (or the planned ones), from `with Lab(hosts=2) as lab` until its end.

    `lab.hosts` by order, `lab["apollo"]` by name; `lab.ssh_config` is the file for `ssh -F`.
    Needs root. LabError says in one sentence what stands in the way.
    """

    def __init__(self, hosts: int | Sequence[HostPlan] = 2) -> None:
        if isinstance(hosts, int):
            hosts = [HostPlan(name) for name in NAMES[:hosts]]
        self._plans = list(hosts)
        self.hosts: list[Host] = []

    def __enter__(self) -> "Lab":
        if os.geteuid() != 0:
            raise LabError("only root can start a lab: it makes namespaces and runs engines")
        self._slot = slot.take()
        self._network: Network | None = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getitem__(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def add(self, plan: HostPlan) -> Host:
        """Start one more host, such as one without python3; or return the one with that name."""
        for host in self.hosts:
            if host.name == plan.name:
                return host
        self._start_hosts([plan])
        return self.hosts[-1]

    def heal(self) -> None:
        """Repair what a test broke on any host."""
        for host in self.hosts:
            host.heal()

    def project_config(self, folder: str = "") -> dict[str, Any]:
        """A `.igor/config.json` with this lab's hosts as the group `dev`."""
        entries = [{"host": host.name, "dir": folder or f"{host.home}/dev"} for host in self.hosts]
        return {"user": "lab", "host_groups": {"dev": {"hosts": entries}}}

    def close(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda host: host.close(), self.hosts))
        self.hosts.clear()
        if self._network:
            self._network.close()
        self._slot.remove_files()
        self._slot.release()

    def _start(self) -> None:
        self._folder = self._slot.folder / "ssh"
        self._folder.mkdir(mode=0o700)
        self.ssh_config = self._folder / "config"
        self.private_key = self._folder / "id_ed25519"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.private_key)])
        self._network = Network(self._slot.name, self._slot.index)
        self._slot.remember(self._network.pid)
        self._start_hosts(self._plans)

    def _start_hosts(self, plans: Sequence[HostPlan]) -> None:
        if any(plan.docker for plan in plans):
            self._make_engine_template()
        made = [self._make_host(plan) for plan in plans]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda host: host.heal(), made))
        self._write_ssh_config()

    def _make_host(self, plan: HostPlan) -> Host:
        if plan.docker:
            data = self._slot.folder / plan.name
            data.mkdir(mode=0o711)
            engine.Template().copy_to(data / "docker")
        public_key = self.private_key.with_suffix(".pub").read_text()
        assert self._network is not None
        host = Host(plan, self._slot, self._network, public_key)
        self.hosts.append(host)
        return host

    def _make_engine_template(self) -> None:
        run(["sh", str(Path(__file__).with_name("base-image.sh"))])
        template = engine.Template()
        with template.lock():
            if template.exists():
                return
            public_key = self.private_key.with_suffix(".pub").read_text()
            assert self._network is not None
            host = Host(HostPlan("template"), self._slot, self._network, public_key)
            try:
                host.start_docker()
                host.import_base()
                host.stop_docker()
                template.keep(self._slot.folder / "template" / "docker")
            finally:
                host.close()

    def _write_ssh_config(self) -> None:
        entries, known = [], []
        for host in self.hosts:
            login = "PubkeyAuthentication no"
            if host.plan.login == "key":
                login = f"IdentityFile {self.private_key}\n    IdentitiesOnly yes"
            entries.append(SSH_CONFIG.format(host=host, login=login, folder=self._folder))
            known.append(f"{host.address} {host.host_key}\n")
        (self._folder / "known_hosts").write_text("".join(known))
        self.ssh_config.write_text("".join(entries))
