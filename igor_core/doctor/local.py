"""Is this machine in order? Pure."""

from igor_core import __version__
from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.local_facts import Machine, OwnFolder
from igor_core.doctor.local_port import PortUse
from igor_core.doctor.versions import RSYNC, dotted, numbers


def machine_checks(machine: Machine) -> list[Check]:
    """What every project on this machine needs."""
    return [
        ok("igor", f"agent {__version__} on Python {machine.python}, process {machine.pid}"),
        _program(
            "git",
            machine.git,
            "so igor reads the .gitignore files itself",
            "install the package git",
        ),
        _rsync(machine.rsync),
        _program(
            "ssh",
            machine.ssh,
            "and igor needs it for a ProxyCommand and for accepting a host's key",
            "install the package openssh-client",
        ),
        _ssh_files(machine),
        _ssh_agent(machine),
        _own_folder("state", "igor's state", machine.state),
        _own_folder("runtime", "the agent's socket", machine.runtime),
    ]


def _program(name: str, version: str, without: str, remedy: str) -> Check:
    if not version:
        return warn(name, f"{name} is not installed on this machine, {without}", remedy)
    return ok(name, version)


def _rsync(version: str) -> Check:
    need = f"hosts without python3 need rsync {dotted(RSYNC)} or later on this machine"
    remedy = "install the package rsync, on macOS: brew install rsync"
    if not version:
        return warn("rsync", f"rsync is not installed; {need}", remedy)
    found = numbers(version)
    if not version.startswith("rsync") or found < RSYNC:
        return warn("rsync", f"this is '{version}'; {need}", remedy)
    return ok("rsync", f"rsync {dotted(found)}")


def _ssh_files(machine: Machine) -> Check:
    if machine.unreadable:
        files = ", ".join(machine.unreadable)
        return fail("ssh files", f"can't read {files}", "make them readable: chmod u+r")
    if not machine.has_known_hosts:
        return skip(
            "ssh files",
            "there is no ~/.ssh/known_hosts, so no host key is known unless ssh_config names "
            "another file",
            "check a host's key and accept it: ssh HOST",
        )
    return ok("ssh files", "ssh_config and known_hosts are readable")


def _ssh_agent(machine: Machine) -> Check:
    if not machine.agent_socket:
        return skip("ssh-agent", "SSH_AUTH_SOCK is not set; igor reads keys from files")
    if not machine.agent_answers:
        return warn(
            "ssh-agent",
            f"no agent answers at {machine.agent_socket} (SSH_AUTH_SOCK)",
            "start an ssh-agent, or open a new terminal",
        )
    return ok("ssh-agent", f"answers at {machine.agent_socket}")


def _own_folder(name: str, holds: str, folder: OwnFolder) -> Check:
    if folder.trouble:
        place = f"{folder.path}: " if folder.path else ""
        return fail(
            name,
            f"can't write the folder for {holds}: {place}{folder.trouble}",
            folder.hint or "change its permissions, or free disk space",
        )
    return ok(name, f"{folder.path} is writable")


def debug_port_check(use: PortUse) -> Check:
    """Only a warning: debugging takes another port then."""
    if not use.trouble:
        return ok("debug_port", f"port {use.port} is free on this machine")
    remedy = 'set another "debug_port" in the config'
    if use.trouble != "taken":
        return warn("debug_port", f"can't listen on port {use.port}: {use.trouble}", remedy)
    holders = " and ".join(use.holders)
    return warn(
        "debug_port",
        f"port {use.port} is taken by {holders or 'another program'}",
        f"end it, or {remedy}",
    )
