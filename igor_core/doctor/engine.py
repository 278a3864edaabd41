"""Whether a host's container engine works. Pure."""

from collections.abc import Callable

from igor_core.doctor.check import Check, fail, ok, warn
from igor_core.doctor.facts import Access, Engine, Gpu
from igor_core.doctor.versions import ENGINES, dotted, numbers
from igor_core.errors import HostError

#: From the exit status and message of a failed command to what the user reads.
Explain = Callable[[int, str], HostError]

NEW_LOGIN = "igor agent stop (to drop the old login)"


def engine_checks(engine: Engine, access: Access, explain: Explain) -> list[Check]:
    """One check, and a second one if the engine is on another machine."""
    if not access.installed:
        return [
            fail(
                engine.word,
                f"{engine.word} is not installed",
                f'there: install {engine.word}, or set "runtime" in the config to what the '
                "host has",
            )
        ]
    if engine.status != 0:
        return [_unusable(engine, access, explain)]
    return [_version(engine), *_elsewhere(engine, access)]


def _unusable(engine: Engine, access: Access, explain: Explain) -> Check:
    words = engine.error.lower()
    if "permission denied" in words and engine.word == "docker":
        return _not_permitted(access)
    if "cannot connect to the docker daemon" in words or "no such file" in words:
        return _down(access)
    error = explain(engine.status, engine.error)
    return fail(engine.word, error.message, error.hint)


def _not_permitted(access: Access) -> Check:
    group = access.socket_group or "docker"
    place = access.host or "/var/run/docker.sock"
    text = f"permission denied on {place}"
    if group in access.groups_next and group not in access.groups_now:
        return fail(
            "docker",
            f"{text}: {access.user} is in the group {group}, but igor logged in before that",
            NEW_LOGIN,
        )
    if group in access.groups_now or group == "root":
        return fail("docker", text, f"on the host: check ls -l {place}")
    return fail(
        "docker",
        f"{text}: {access.user} is not in the group {group}",
        f"on the host: sudo usermod -aG {group} {access.user}; then: {NEW_LOGIN}",
    )


def _down(access: Access) -> Check:
    if access.host:
        return fail(
            "docker",
            f"no engine answers at {access.host}, where DOCKER_HOST points",
            "start that engine, or remove DOCKER_HOST from the host's login",
        )
    if access.own_socket:
        return fail(
            "docker",
            f"a rootless engine listens at {access.own_socket}, but docker asks "
            "at /var/run/docker.sock",
            "on the host: docker context use rootless",
        )
    return fail(
        "docker",
        "the engine is down: it does not answer at /var/run/docker.sock",
        "on the host: sudo systemctl start docker; if that fails: sudo journalctl -u docker",
    )


def _version(engine: Engine) -> Check:
    needed = ENGINES[engine.word]
    mode = "rootless" if engine.rootless else "not rootless"
    for what, version in (("engine", engine.server), ("client", engine.client)):
        if version and numbers(version) < needed:
            return fail(
                engine.word,
                f"the {what} is {engine.word} {version}; igor needs {dotted(needed)} or later",
                f"on the host: install a newer {engine.word}",
            )
    return ok(engine.word, f"{engine.word} {engine.server}, {mode}")


def _elsewhere(engine: Engine, access: Access) -> list[Check]:
    if engine.word == "docker" and access.host and not access.host.startswith("unix:"):
        return [
            warn(
                "engine",
                f"DOCKER_HOST is {access.host}: if that is another machine, its "
                "containers don't see this host's folders",
                "name the machine of the engine in the config",
            )
        ]
    return []


def gpu_check(gpu: Gpu, engine: Engine, asked: str) -> Check:
    """Whether containers can have NVIDIA GPUs, with the option in docker_run_args."""
    if not gpu.driver:
        return fail(
            "gpu",
            "docker_run_args ask for NVIDIA GPUs, but no NVIDIA driver is loaded",
            "on the host: install the driver (does nvidia-smi work?), or remove the "
            "option from docker_run_args",
        )
    configure = f"sudo nvidia-ctk runtime configure --runtime={engine.word}"
    describe = "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
    needs_cdi = asked == "cdi" or (asked == "gpus" and engine.word == "podman")
    if not gpu.toolkit and not (needs_cdi and gpu.cdi):
        return fail(
            "gpu",
            "the NVIDIA container toolkit is not installed",
            "on the host: install nvidia-container-toolkit; then: "
            f"{describe if needs_cdi else configure}",
        )
    if needs_cdi and not gpu.cdi:
        return fail(
            "gpu",
            "no file in /etc/cdi or /var/run/cdi describes nvidia.com/gpu",
            f"on the host: {describe}",
        )
    if asked == "runtime" and engine.status == 0 and "nvidia" not in engine.runtimes:
        return fail(
            "gpu",
            f"{engine.word} has no runtime 'nvidia'",
            f"on the host: {configure} && sudo systemctl restart {engine.word}",
        )
    return ok("gpu", gpu.driver.removeprefix("NVRM version: "))
