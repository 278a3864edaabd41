"""igor gpus. No GPU is at hand: a script on a lab host stands in for nvidia-smi and its drivers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.verbs.gpus import Gpu, GpuProcess, parse
from tests.lab import Host
from tests.support.places import make_project
from tests.support.sample_project import SampleProject

MIB = 1 << 20
IDENT = "5f" * 32
CARDS = """\
0, GPU-aa, 11714, 40960, 87, NVIDIA A100-SXM4-40GB
1, GPU-bb, 0, 24576, 0, NVIDIA GeForce RTX 3090
"""


def test_cards_and_their_processes() -> None:
    text = f"""{CARDS}
GPU-aa, 123, 9000, python, train.py
dino
0::/system.slice/docker-{IDENT}.scope
GPU-aa, 124, [N/A], [Not Found]


"""
    first, second = parse(text, {IDENT: "dino-x-dev"})
    assert first == Gpu(
        0, "NVIDIA A100-SXM4-40GB", 11714 * MIB, 40960 * MIB, 87,
        [GpuProcess(123, "python, train.py", "dino", 9000 * MIB, "dino-x-dev"),
         GpuProcess(124, "[Not Found]", "", None, "")],
    )  # fmt: skip
    assert second.processes == []
    assert first.text() == (
        "0  NVIDIA A100-SXM4-40GB  12.3 GB of 42.9 GB  87 %\n"
        "   dino: python, train.py (123) in container dino-x-dev, 9.4 GB\n"
        "   an unknown user: [Not Found] (124), ?\n"
    )


@pytest.mark.parametrize("word", ["[N/A]", "[Not Supported]", "[Insufficient Permissions]", "N/A"])
def test_what_a_driver_does_not_tell(word: str) -> None:
    (gpu,) = parse(f"0, GPU-aa, {word}, {word}, {word}, Tesla K80\n\n", {})
    assert (gpu.memory_used, gpu.memory_total, gpu.load) == (None, None, None)
    assert gpu.text() == "0  Tesla K80  ? of ?  ? %\n"


def test_a_container_that_the_engine_does_not_know_has_the_begin_of_its_id() -> None:
    group = f"12:devices:/docker/{IDENT} 0::/"
    (gpu,) = parse(f"0, GPU-aa, 1, 2, 3, A\n\nGPU-aa, 7, 1, sh\nroot\n{group}\n", {})
    assert gpu.processes[0].container == "5f5f5f5f5f5f"


@pytest.fixture
def project(ssh_home: Path, plain_host: Host) -> Iterator[SampleProject]:
    project = make_project(ssh_home / "gpus", [plain_host], {"a.py": ""}, runtime="none")
    yield project
    plain_host.run(["rm", "-f", "bin/nvidia-smi", ".profile", ".bashrc"], check=True)
    project.igor("agent", "stop")


def install(host: Host, script: str) -> None:
    """Put a program named nvidia-smi on the PATH of the host's user."""
    host.run(["sh", "-c", "mkdir -p bin && cat >bin/nvidia-smi && chmod 755 bin/nvidia-smi"],
             input=f"#!/bin/sh\n{script}", check=True)  # fmt: skip


def path_with_bin(project: SampleProject, host: Host) -> None:
    entry = {"host": host.name, "dir": f"{host.home}/dev"}
    entry["env"] = {"PATH": f"{host.home}/bin:/usr/bin:/bin"}  # type: ignore[assignment]
    project.configure(runtime="none", host_groups={"dev": {"hosts": [entry]}})


def test_a_host_without_one_is_one_line(project: SampleProject) -> None:
    done = project.igor("gpus")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1].endswith("no GPU: nvidia-smi finds none")


def test_a_host_with_cards(project: SampleProject, plain_host: Host) -> None:
    path_with_bin(project, plain_host)
    install(plain_host, f"""\
case $1 in
    --query-gpu=*) printf '%s' '{CARDS}' ;;
    *) printf 'GPU-bb, %s, 12, sh\\n' "$PPID" ;;
esac
""")  # fmt: skip
    done = project.igor("gpus")
    assert done.returncode == 0, done.stderr
    assert "1  NVIDIA GeForce RTX 3090  0 B of 25.8 GB  0 %\n   igor-lab: sh (" in done.stdout
    said = [json.loads(line) for line in project.igor("--json", "gpus").stdout.splitlines()]
    data = said[-1]["data"]
    assert [gpu["load"] for gpu in data["hosts"][0]["gpus"]] == [87, 0]


def test_a_driver_that_does_not_work_is_an_error_in_its_words(
    project: SampleProject, plain_host: Host
) -> None:
    path_with_bin(project, plain_host)
    said = "Failed to initialize NVML: Driver/library version mismatch"
    install(plain_host, f"echo '{said}'; exit 18\n")
    done = project.igor("gpus")
    assert done.returncode == 1
    assert f"nvidia-smi failed on plain: {said}" in done.stderr
