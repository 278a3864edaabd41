"""What asyncssh and the network raise, as one sentence that names the host and the remedy."""

import errno
import socket

import asyncssh

from igor_core.errors import HostError, IgorError

_NETWORK = {
    errno.ECONNREFUSED: ("refuses the connection", "is sshd running there, and on this port?"),
    errno.EHOSTUNREACH: ("can't be reached", "is it on, and are you on the right network?"),
    errno.ENETUNREACH: ("can't be reached: no network", "are you online?"),
    errno.ETIMEDOUT: ("does not answer", "is it on, and are you on the right network?"),
    errno.ECONNRESET: ("closed the connection", "look into sshd's log there"),
}


def explain(host: str, error: Exception, known: bool = False) -> IgorError:
    """The error a user reads. `known` says that known_hosts has a key for the host."""
    if isinstance(error, IgorError):
        return error
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return _host_key(host, known)
    if isinstance(error, asyncssh.PermissionDenied):
        return HostError(f"{host} refuses the login: {error.reason}", f"try: ssh -v {host}")
    if isinstance(error, asyncssh.ConfigParseError):
        return HostError(f"{host}: ssh_config can't be used: {error}", "igor reads ~/.ssh/config")
    if isinstance(error, asyncssh.KeyImportError):
        return HostError(f"{host}: a private key can't be read: {error}", f"try: ssh -v {host}")
    if isinstance(error, asyncssh.ChannelOpenError):
        return HostError(
            f"{host} opens no further session: {error.reason}",
            "sshd's MaxSessions there is reached; wait for other jobs",
        )
    if isinstance(error, asyncssh.ConnectionLost):
        return HostError(f"the connection to {host} was lost", "igor connects again on next use")
    if isinstance(error, asyncssh.Error):
        return HostError(f"{host}: {error.reason}", f"try: ssh -v {host}")
    return _network(host, error)


def _host_key(host: str, known: bool) -> HostError:
    if known:
        return HostError(
            f"{host}: the host key has changed; somebody may be in between",
            f"if the host was reinstalled: ssh-keygen -R {host}; ssh {host} true",
        )
    return HostError(f"{host}: the host key is unknown", f"look at it and accept it: ssh {host}")


def _network(host: str, error: Exception) -> IgorError:
    if isinstance(error, socket.gaierror):
        return HostError(
            f"{host}: no such host name", "is it in ~/.ssh/config, or are you offline?"
        )
    if isinstance(error, TimeoutError):
        return HostError(f"{host} does not answer", "is it on, and are you on the right network?")
    if isinstance(error, OSError):
        said, hint = _NETWORK.get(
            error.errno or 0, (f"can't be reached: {error.strerror or error}", f"try: ssh {host}")
        )
        return HostError(f"{host} {said}", hint)
    if isinstance(error, ValueError):
        return HostError(f"{host}: ssh_config asks for what igor can't do: {error}")
    raise error
