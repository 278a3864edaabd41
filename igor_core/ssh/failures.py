"""Words what asyncssh and the network raise: one sentence with the host, and a hint."""

import asyncio
import errno
import shlex
import socket

import asyncssh

from igor_core.errors import HostError, IgorError, NeedsLogin
from igor_core.ssh.address import Address
from igor_core.ssh.unsupported import unsupported

# What a user can cause; anything else is a bug.
FOREIGN = (asyncssh.Error, OSError, ValueError, asyncio.TimeoutError)

_NETWORK = {
    errno.ECONNREFUSED: (
        "refuses the connection",
        "check that sshd runs on the host and listens on this port",
    ),
    errno.EHOSTUNREACH: ("can't be reached", "is it on, and are you on the right network?"),
    errno.ENETUNREACH: ("can't be reached: no network", "are you online?"),
    errno.ETIMEDOUT: ("does not answer", "is it on, and are you on the right network?"),
    errno.ECONNRESET: ("closed the connection", "see sshd's log on the host"),
    errno.EPIPE: ("closed the connection", "see sshd's log on the host"),
}


def connection_lost(host: str, protocol_error: str = "") -> HostError:
    """Make the error of a lost connection, with how the host broke the protocol, if it did."""
    why = f": {protocol_error}" if protocol_error else ""
    return HostError(f"the connection to {host} was lost{why}", "igor connects again on next use")


def not_started(host: str, error: Exception) -> HostError:
    """Make the error of a host whose login shell did not start igor's program."""
    return HostError(
        f"{host}: {error}", f"this must print nothing, and end at once: ssh {host} true"
    )


def explain(address: Address, error: Exception) -> IgorError:
    """Make the error that a user reads. known_hosts.py has those of host keys."""
    host, attempt = address.name, f"try: {shlex.join(['ssh', '-v', *address.ssh_words()])}"
    if isinstance(error, IgorError):
        return error
    if isinstance(error, asyncssh.PermissionDenied):
        return NeedsLogin(f"{host} refuses the login: {error.reason}", attempt + _ignored(address))
    if isinstance(error, asyncssh.DisconnectError) and "authentication fail" in error.reason:
        # sshd counts the keys that were offered (MaxAuthTries).
        return NeedsLogin(f"{host} refuses the login: {error.reason}", attempt + _ignored(address))
    if isinstance(error, asyncssh.ConfigParseError):
        return NeedsLogin(f"{host}: igor can't use ssh_config: {error}", "fix that line")
    if isinstance(error, asyncssh.KeyImportError):
        return NeedsLogin(f"{host}: a private key can't be read: {error}", attempt)
    if isinstance(error, asyncssh.ChannelOpenError):
        return HostError(
            f"{host} refused to open a session: {error.reason}",
            "its sshd may limit sessions (MaxSessions), or forbid forwarding",
        )
    if isinstance(error, asyncssh.ConnectionLost):
        return HostError(f"{host} closed the connection during login", attempt)
    if isinstance(error, asyncssh.Error):
        return HostError(f"{host}: {error.reason}", attempt)
    return _network(host, error)


def _ignored(address: Address) -> str:
    """Name the ignored options of ssh_config, which might have let the user in."""
    found = unsupported(address)
    return f"; igor ignores in ssh_config: {', '.join(found)}" if found else ""


def _network(host: str, error: Exception) -> IgorError:
    if isinstance(error, socket.gaierror):
        return HostError(
            f"{host}: no such host name", "check the name in ~/.ssh/config, and that you are online"
        )
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return HostError(f"{host} does not answer", "is it on, and are you on the right network?")
    if isinstance(error, OSError):
        said, hint = _NETWORK.get(
            error.errno or 0, (f"can't be reached: {error.strerror or error}", f"try: ssh {host}")
        )
        return HostError(f"{host} {said}", hint)
    if isinstance(error, ValueError):
        return NeedsLogin(f"{host}: unsupported setting in ssh_config: {error}")
    raise error
