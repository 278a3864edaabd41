"""Is the container engine of a host in order? Pure."""

from collections.abc import Callable

from igor_core.doctor.check import Check, fail, ok, warn
from igor_core.doctor.engine_facts import Engine
from igor_core.doctor.host_facts import HostFacts
from igor_core.doctor.versions import ENGINES, dotted, numbers
from igor_core.errors import HostError

#: From the exit status and the output of a failed command to what a user reads.
Explain = Callable[[int, str], HostError]

SOCKET = "/var/run/docker.sock"
NEW_LOGIN = "igor agent stop (to log in again)"


def engine_checks(engine: Engine, facts: HostFacts, explain: Explain) -> list[Check]:
    """One check, and a second one where the engine is on another machine."""
    if not facts.engine:
        return [
            fail(
                engine.word,
                f"{engine.word} is not installed on the host",
                'install it, or set "runtime" in the config to what the host has',
            )
        ]
    if engine.status != 0:
        return [_unusable(engine, facts, explain)]
    return [_version(engine), *_remote_engine(engine, facts)]


def _unusable(engine: Engine, facts: HostFacts, explain: Explain) -> Check:
    printed = engine.error.lower()
    if engine.word == "docker" and "permission denied" in printed:
        return _not_permitted(facts)
    if "cannot connect to the docker daemon" in printed or "no such file" in printed:
        return _down(facts)
    error = explain(engine.status, engine.error)
    return fail(engine.word, error.message, error.hint)


def _not_permitted(facts: HostFacts) -> Check:
    group = facts.socket_group or "docker"
    socket = facts.engine_host or SOCKET
    text = f"permission denied on {socket}"
    now = facts.groups_now.split()
    if group in facts.groups_next.split() and group not in now:
        text += f": igor logged in before {facts.user} joined the group {group}"
        return fail("docker", text, NEW_LOGIN)
    if group in now or group == "root":
        return fail("docker", text, f"on the host: ls -l {socket}")
    return fail(
        "docker",
        f"{text}: {facts.user} is not in the group {group}",
        f"on the host: sudo usermod -aG {group} {facts.user}; then: {NEW_LOGIN}",
    )


def _down(facts: HostFacts) -> Check:
    if facts.engine_host:
        return fail(
            "docker",
            f"no engine answers at {facts.engine_host} (DOCKER_HOST)",
            "start that engine, or remove DOCKER_HOST from the login's environment on the host",
        )
    if facts.own_socket:
        return fail(
            "docker",
            f"a rootless engine listens at {facts.own_socket}, but docker asks at {SOCKET}",
            "on the host: docker context use rootless",
        )
    return fail(
        "docker",
        f"the engine is down: nothing answers at {SOCKET}",
        "on the host: sudo systemctl start docker; if that fails: sudo journalctl -u docker",
    )


def _version(engine: Engine) -> Check:
    needed = ENGINES[engine.word]
    for what, version in (("engine", engine.server), ("client", engine.client)):
        if version and numbers(version) < needed:
            return fail(
                engine.word,
                f"the {what} is {engine.word} {version}; igor needs {dotted(needed)} or later",
                f"install a newer {engine.word} on the host",
            )
    return ok(engine.word, f"{engine.word} {engine.server}{', rootless' * engine.rootless}")


def _remote_engine(engine: Engine, facts: HostFacts) -> list[Check]:
    host = facts.engine_host
    if engine.word != "docker" or not host or host.startswith("unix:"):
        return []
    return [
        warn(
            "engine",
            f"DOCKER_HOST is {host}: containers on another machine can't see this host's folders",
            "name the machine that runs the engine as the host in the config",
        )
    ]


def gpu_check(facts: HostFacts, engine: Engine, asked: str) -> Check:
    """Whether containers can have NVIDIA GPUs, via the option that docker_run_args use."""
    if not facts.driver:
        return fail(
            "gpu",
            "docker_run_args ask for NVIDIA GPUs, but the host has no NVIDIA driver loaded",
            "on the host, install the driver (does nvidia-smi work?), or take the option out of "
            "docker_run_args",
        )
    configure = f"sudo nvidia-ctk runtime configure --runtime={engine.word}"
    describe = "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
    needs_cdi = asked == "cdi" or (asked == "gpus" and engine.word == "podman")
    if not facts.toolkit and not (needs_cdi and facts.cdi):
        return fail(
            "gpu",
            "the NVIDIA container toolkit is not installed on the host",
            "on the host: install nvidia-container-toolkit; then: "
            f"{describe if needs_cdi else configure}",
        )
    if needs_cdi and not facts.cdi:
        text = "no file in /etc/cdi or /var/run/cdi describes nvidia.com/gpu"
        return fail("gpu", text, f"on the host: {describe}")
    if asked == "runtime" and engine.status == 0 and "nvidia" not in engine.runtimes:
        restart = f"sudo systemctl restart {engine.word}"
        text = f"{engine.word} has no runtime 'nvidia'"
        return fail("gpu", text, f"on the host: {configure} && {restart}")
    return ok("gpu", facts.driver.removeprefix("NVRM version: "))
