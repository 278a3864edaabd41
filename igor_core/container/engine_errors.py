"""What an engine says when it can't be used, as one sentence and a remedy."""

import re

from igor_core.errors import HostError
from igor_core.runtime import Runtime
from igor_core.shapes import MOST_WORDS, shortened

_REMEDIES = (
    (
        r"exec: \"?sh\"?: (executable file )?not found|exec:? \"?sh\"? failed: no such file"
        r"|failed to exec pid1: no such file",
        "the image has no sh, without which igor can't run commands in it",
        "add a shell to the image, for instance Debian's busybox-static",
    ),
    (
        r"permission denied.*(socket|docker\.sock)|dial unix .*permission denied",
        "you may not use docker on the host",
        "there: sudo usermod -aG docker $USER; then here: igor agent stop (to log in anew)",
    ),
    (
        r"cannot connect to the docker daemon|is the docker daemon running|error during connect",
        "docker isn't running on the host",
        "there: sudo systemctl start docker",
    ),
    (
        r"no space left on device",
        "the host's disk is full",
        "there: df -h, and 'docker system df' or 'podman system df' for what can be removed",
    ),
    (
        r"catatonit|docker-init\b.*not found|init binary|container-init",
        "the engine's init program is missing on the host",
        "there: install catatonit (podman) or tini (docker)",
    ),
    (
        r"could not select device driver|nvidia-container-cli|unknown runtime.*nvidia",
        "the host's engine can't give GPUs to containers",
        "there: install the NVIDIA container toolkit, or take '--gpus' out of docker_run_args",
    ),
    (
        r"port is already allocated|address already in use",
        "a port that docker_run_args publishes is taken on the host",
        "take another port, or stop what uses it there: ss -ltnp",
    ),
    (
        r"can't evaluate field SecurityOptions|emulate docker cli using podman",
        "docker on the host is podman by another name",
        'set "runtime" to "podman" in the config',
    ),
    (
        r"unknown flag: --pull",
        "docker on the host is too old",
        "docker 20.10 or later is needed",
    ),
    (
        r"no subuid ranges|newuidmap|potentially insufficient uids",
        "podman can't map users on the host",
        "there: install uidmap, and give your user ranges in /etc/subuid and /etc/subgid",
    ),
)


def engine_error(runtime: Runtime, status: int, said: str) -> HostError:
    """The error for a command of the engine that failed with this exit status and these words."""
    if status == 127 and not re.search(r"(?i)oci runtime|executable file", said):
        return HostError(
            f"{runtime.word} is not installed on the host",
            'install it there, or set "runtime" in the config to what the host has',
        )
    said = said[-64 * MOST_WORDS :]
    for pattern, sentence, remedy in _REMEDIES:
        if re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return HostError(f"{sentence} ({last_line(said)})", remedy)
    return HostError(f"{runtime.word} failed there with status {status}: {last_line(said)}")


def last_line(said: str) -> str:
    lines = [line.strip() for line in said[-8 * MOST_WORDS :].splitlines() if line.strip()]
    return shortened((lines or ["it said nothing"])[-1])
