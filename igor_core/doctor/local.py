"""Whether the local machine works. Pure."""

from igor_core import __version__
from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.local_facts import Agent, Folder, Machine
from igor_core.doctor.local_port import PortUse
from igor_core.doctor.versions import RSYNC, dotted, numbers


def machine_checks(machine: Machine) -> list[Check]:
    """The checks that do not depend on a project."""
    return [
        ok("igor", f"agent {__version__} on Python {machine.python}, process {machine.pid}"),
        _git(machine.git),
        _rsync(machine.rsync),
        _ssh(machine.ssh),
        _ssh_files(machine),
        _ssh_agent(machine.ssh_agent),
        _folder("state", machine.state, "its manifests, its trust, its log"),
        _folder("runtime", machine.runtime, "the agent's socket"),
    ]


def _git(version: str) -> Check:
    if not version:
        return warn(
            "git",
            "git is not installed, so igor reads .gitignore files itself",
            "install the package git",
        )
    return ok("git", version)


def _rsync(version: str) -> Check:
    if not version:
        return fail("rsync", "rsync is not installed", "install the package rsync")
    found = numbers(version)
    if not version.startswith("rsync") or found < RSYNC:
        needed = f"igor needs rsync {dotted(RSYNC)} or later"
        return fail(
            "rsync",
            f"this is '{version}'; {needed}",
            "install the package rsync, on macOS: brew install rsync",
        )
    return ok("rsync", f"rsync {dotted(found)}")


def _ssh(version: str) -> Check:
    if not version:
        return warn(
            "ssh",
            "OpenSSH's client is not installed; igor logs in without it, but "
            "a ProxyCommand and the first look at a host's key need it",
            "install the package openssh-client",
        )
    return ok("ssh", version)


def _ssh_files(machine: Machine) -> Check:
    if machine.unreadable:
        return fail(
            "ssh files",
            f"can't be read: {', '.join(machine.unreadable)}",
            "make them readable to you: chmod u+r",
        )
    if not machine.has_known_hosts:
        return skip(
            "ssh files",
            "~/.ssh/known_hosts does not exist, so every host is unknown unless "
            "ssh_config names another file",
            "check a host's key and accept it: ssh HOST",
        )
    return ok("ssh files", "ssh_config and known_hosts are readable")


def _ssh_agent(agent: Agent) -> Check:
    if not agent.path:
        return skip("ssh-agent", "SSH_AUTH_SOCK is not set; keys are read from files")
    if not agent.answers:
        return warn(
            "ssh-agent",
            f"no ssh-agent answers at {agent.path} (SSH_AUTH_SOCK)",
            "start an ssh-agent, or open a new terminal",
        )
    return ok("ssh-agent", f"answers at {agent.path}")


def _folder(name: str, folder: Folder, holds: str) -> Check:
    if folder.trouble:
        place = f"{folder.path}: " if folder.path else ""
        return fail(
            name,
            f"the folder for {holds} can't be written: {place}{folder.trouble}",
            folder.hint or "correct its permissions, or free some space",
        )
    return ok(name, f"{folder.path} is writable")


def debug_port_check(use: PortUse) -> Check:
    """Check the port; a taken one stops only the debugger, so it is a warning."""
    if not use.trouble:
        return ok("debug_port", f"port {use.port} is free")
    remedy = 'set "debug_port" in the config to another one'
    if use.trouble != "taken":
        return warn("debug_port", f"port {use.port} can't be listened on: {use.trouble}", remedy)
    holders = " and ".join(f"{one.program} (pid {one.pid})" for one in use.holders)
    return warn(
        "debug_port",
        f"port {use.port} is taken by {holders or 'another user'}",
        f"end it, or {remedy}",
    )
