"""Errors of container engines, as one sentence and a remedy."""

import re

from igor_core.errors import HostError
from igor_core.runtime import Runtime
from igor_core.shapes import MOST_WORDS, shortened

_REMEDIES = (
    (
        r"exec: \"?sh\"?: (executable file )?not found|exec:? \"?sh\"? failed: no such file"
        r"|failed to exec pid1: no such file",
        "the image has no sh, which igor needs to run commands in it",
        "add a shell to the image, for instance Debian's busybox-static",
    ),
    (
        r"permission denied.*(socket|docker\.sock)|dial unix .*permission denied",
        "you are not permitted to use docker on the host",
        "on the host: sudo usermod -aG docker $USER; then: igor agent stop (to log in again)",
    ),
    (
        r"cannot connect to the docker daemon|is the docker daemon running|error during connect",
        "docker is not running on the host",
        "on the host: sudo systemctl start docker",
    ),
    (
        r"no space left on device",
        "the host's disk is full",
        "on the host: df -h; docker system df or podman system df lists what can be removed",
    ),
    (
        r"catatonit|docker-init\b.*not found|init binary|container-init",
        "the engine's init program is missing on the host",
        "on the host: install catatonit (podman) or tini (docker)",
    ),
    (
        r"could not select device driver|nvidia-container-cli|unknown runtime.*nvidia",
        "the host's engine can't give GPUs to containers",
        "install the NVIDIA container toolkit, or remove '--gpus' from docker_run_args",
    ),
    (
        r"port is already allocated|address already in use",
        "a port that docker_run_args publishes is in use on the host",
        "publish another port, or end the program that uses it: igor doctor names it",
    ),
    (
        r"can't evaluate field SecurityOptions|emulate docker cli using podman",
        "docker on the host is podman under another name",
        'set "runtime" to "podman" in the config',
    ),
    (
        r"unknown flag: --pull",
        "docker on the host is too old",
        "install docker 20.10 or later on the host",
    ),
    (
        r"no subuid ranges|newuidmap|potentially insufficient uids",
        "podman can't map user ids on the host",
        "on the host: install uidmap, and add ranges for your user to /etc/subuid and /etc/subgid",
    ),
)


# What an engine's client says after the reason: where its help is, and what did not happen.
_NOISE = re.compile(
    r"See '|Run '.* --help'|For more help|Usage:"
    r"|(Error: )?failed to (start|create) containers?: \S+$"
)
_REASON = re.compile(
    r"Error response from daemon: (.+)|Error: (.+)|(?:docker|podman): (.+)|(invalid .+)"
)


def engine_error(runtime: Runtime, status: int, said: str) -> HostError:
    """Return the error for an engine's command that failed with this exit status and output."""
    if status == 127 and not re.search(r"(?i)oci runtime|executable file", said):
        return HostError(
            f"{runtime.word} is not installed on the host",
            'install it, or set "runtime" in the config to what the host has',
        )
    said = said[-64 * MOST_WORDS :]
    for pattern, sentence, remedy in _REMEDIES:
        if re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return HostError(f"{sentence} ({reason(said)})", remedy)
    return HostError(f"{runtime.word} failed on the host with exit status {status}: {reason(said)}")


def reason(said: str) -> str:
    """Return the line that says why, without the engine's own words around it."""
    lines = [line.strip() for line in said[-8 * MOST_WORDS :].splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    for line in reversed(telling):
        while found := _REASON.fullmatch(line):
            inner = next(group for group in found.groups() if group)
            if inner == line:
                return shortened(line)
            line = inner
        if line not in telling:
            return shortened(line)
    return last_line("\n".join(telling) or said)


def last_line(said: str) -> str:
    lines = [line.strip() for line in said[-8 * MOST_WORDS :].splitlines() if line.strip()]
    return shortened((lines or ["no output"])[-1])
