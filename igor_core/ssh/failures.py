"""What asyncssh and the network raise, as one sentence that names the host and the remedy."""

import asyncio
import errno
import shlex
import socket

import asyncssh

from igor_core.errors import HostError, IgorError
from igor_core.ssh.address import Address
from igor_core.ssh.unsupported import unsupported

# What a library raises that a user can meet; anything else is a bug.
FOREIGN = (asyncssh.Error, OSError, ValueError, asyncio.TimeoutError)

_NETWORK = {
    errno.ECONNREFUSED: ("refuses the connection", "is sshd running there, and on this port?"),
    errno.EHOSTUNREACH: ("can't be reached", "is it on, and are you on the right network?"),
    errno.ENETUNREACH: ("can't be reached: no network", "are you online?"),
    errno.ETIMEDOUT: ("does not answer", "is it on, and are you on the right network?"),
    errno.ECONNRESET: ("closed the connection", "look into sshd's log there"),
    errno.EPIPE: ("closed the connection", "look into sshd's log there"),
}


def lost(host: str, broken: str = "") -> HostError:
    """`broken`: what the host did that no host of igor's does."""
    why = f": {broken}" if broken else ""
    return HostError(f"the connection to {host} was lost{why}", "igor connects again on next use")


def explain(address: Address, error: Exception) -> IgorError:
    """The error a user reads; host keys have their own (known_hosts.py)."""
    host, attempt = address.name, f"try: {shlex.join(['ssh', '-v', *address.ssh_words()])}"
    if isinstance(error, IgorError):
        return error
    if isinstance(error, asyncssh.PermissionDenied):
        return HostError(f"{host} refuses the login: {error.reason}", attempt + _more(address))
    if isinstance(error, asyncssh.ConfigParseError):
        return HostError(f"{host}: igor can't use ssh_config: {error}", "change that line")
    if isinstance(error, asyncssh.KeyImportError):
        return HostError(f"{host}: a private key can't be read: {error}", attempt)
    if isinstance(error, asyncssh.ChannelOpenError):
        return HostError(
            f"{host} opens no session: {error.reason}",
            "is MaxSessions of its sshd reached, or forwarding forbidden there?",
        )
    if isinstance(error, asyncssh.ConnectionLost):
        return HostError(f"{host} closed the connection while igor logged in", attempt)
    if isinstance(error, asyncssh.Error):
        return HostError(f"{host}: {error.reason}", attempt)
    return _network(host, error)


def _more(address: Address) -> str:
    """What of ssh_config might have let the user in."""
    found = unsupported(address)
    return f"; of ssh_config igor passes over {', '.join(found)}" if found else ""


def _network(host: str, error: Exception) -> IgorError:
    if isinstance(error, socket.gaierror):
        return HostError(
            f"{host}: no such host name", "is it in ~/.ssh/config, or are you offline?"
        )
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return HostError(f"{host} does not answer", "is it on, and are you on the right network?")
    if isinstance(error, OSError):
        said, hint = _NETWORK.get(
            error.errno or 0, (f"can't be reached: {error.strerror or error}", f"try: ssh {host}")
        )
        return HostError(f"{host} {said}", hint)
    if isinstance(error, ValueError):
        return HostError(f"{host}: ssh_config asks for what igor can't do: {error}")
    raise error
