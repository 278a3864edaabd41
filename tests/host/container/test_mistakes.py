"""A container that can't be created or started says why: mistakes in docker_run_args."""

from pathlib import Path

from igor_core.container.container import bring_up
from igor_core.container.plan import plan_container
from igor_core.errors import HostError
from igor_core.runtime import Runtime
from tests.lab import Host
from tests.support.containers import Sample

#: docker_run_args, and what the message must contain by docker and by podman.
MISTAKES = {
    "no such device": (["--device", "/dev/nonexistent"], "/dev/nonexistent", "/dev/nonexistent"),
    "memory": (["--memory", "lots"], "lots", "lots"),
    "cpus": (["--cpus", "many"], "many", "many"),
    "cpus over": (["--cpus", "4096"], "CPU", ""),
    "shm": (["--shm-size", "8 gigs"], "8 gigs", "8 gigs"),
    "unknown option": (["--gpu", "all"], "--gpu", "--gpu"),
    "network": (["--network", "nonexistent"], "nonexistent", "nonexistent"),
    "ulimit": (["--ulimit", "nofile"], "nofile", "nofile"),
    "capability": (["--cap-add", "FLY"], "FLY", "FLY"),
    "volume": (["--volume", "/a:/b:/c:/d"], "/a:/b:/c:/d", ""),
    "relative": (["--mount", "type=bind,source=a,target=/b"], "a", "a"),
    "no such source": (["--mount", "type=bind,source=/no,target=/b"], "/no", "/no"),
    "env file": (["--env-file", "/no/env"], "/no/env", "/no/env"),
    "runtime": (["--runtime", "warp"], "warp", "warp"),
    "port": (["--publish", "http:80"], "http", "http"),
    "restart": (["--restart", "often"], "often", "often"),
    "log driver": (["--log-driver", "paper"], "paper", "log driver"),
    "security": (["--security-opt", "seccomp=/no/profile"], "/no/profile", "/no/profile"),
    "sysctl": (["--sysctl", "kernel.nonsense=1"], "kernel.nonsense", "kernel.nonsense"),
    "user namespaces": (["--userns", "mars"], "", "mars"),
}
NOISE = ("See '", "--help", "failed to start containers", "Error response from daemon")


async def test_the_reason_is_the_message(engine_host: tuple[Host, Runtime], tmp_path: Path) -> None:
    host, runtime = engine_host
    sample = Sample(tmp_path, host, runtime)
    sample.write("dockerfile", "FROM igor-base:latest\n")
    sample.push()
    assert (await sample.build()).status == 0
    wrong = {}
    for name, (arguments, by_docker, by_podman) in MISTAKES.items():
        needle = by_docker if runtime.word == "docker" else by_podman
        if not needle:
            continue  # not a mistake for this engine
        sample.configure(docker_run_args=tuple(arguments))
        found = await sample.inspect()
        plan = plan_container(found, sample.spec, runtime)
        try:
            await bring_up(sample.shell, runtime, sample.spec, found, plan)
        except HostError as error:
            said = error.message
            if needle not in said or any(word in said for word in NOISE):
                wrong[name] = said
        else:
            wrong[name] = "it started"
            sample.engine("rm", "-f", sample.spec.owner.container)
    assert wrong == {}
