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
0, 00000000:01:00.0, 11714, 40960, 87, NVIDIA A100-SXM4-40GB
1, 00000000:02:00.0, 0, 24576, 0, NVIDIA GeForce RTX 3090
"""
ASKED = "".join(f"gpu {line}\n" for line in CARDS.splitlines())
FIRST, SECOND = "00000000:01:00.0", "00000000:02:00.0"


def test_cards_and_their_processes() -> None:
    text = f"""{ASKED}\
process {FIRST}, 123, 9000, python, train.py
user dino
group 0::/system.slice/docker-{IDENT}.scope
process {FIRST}, 124, [N/A], sh
process {FIRST}, 125, 1, sh
uid 1234
group 0::/
"""
    answer = parse(text, {IDENT: "dino-x-dev"})
    first, second = answer.gpus
    assert first == Gpu(
        0, "NVIDIA A100-SXM4-40GB", 11714 * MIB, 40960 * MIB, 87,
        [GpuProcess(123, "python, train.py", "dino", 9000 * MIB, "dino-x-dev"),
         GpuProcess(124, "sh", "", None, ""),
         GpuProcess(125, "sh", "uid 1234", MIB, "")],
    )  # fmt: skip
    assert (second.processes, answer.complaints) == ([], [])
    assert first.text() == (
        "0  NVIDIA A100-SXM4-40GB  12.3 GB of 42.9 GB  87 %\n"
        "   dino: python, train.py (123) in container dino-x-dev, 9.4 GB\n"
        "   an unknown user: sh (124), ?\n"
        "   uid 1234: sh (125), 1.0 MB\n"
    )


@pytest.mark.parametrize(
    "word",
    [
        "[N/A]",
        "[Not Supported]",
        "[Insufficient Permissions]",
        "N/A",
        "[Unknown Error]",
        "ERR!",
        "",
    ],
)
def test_what_a_driver_does_not_tell(word: str) -> None:
    (gpu,) = parse(f"gpu 0, {FIRST}, {word}, {word}, {word}, Tesla K80\n", {}).gpus
    assert (gpu.memory_used, gpu.memory_total, gpu.load) == (None, None, None)
    assert gpu.text() == "0  Tesla K80  ? of ?  ? %\n"


@pytest.mark.parametrize(
    "sentence",
    [
        "Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.",
        "Unable to determine the device handle for GPU1: 0000:02:00.0: Unknown Error",
        "WARNING: infoROM is corrupted at gpu 0000:02:00.0",
        "No log file, in this place, or that, or one, or two, or three",
    ],
)
def test_a_lost_gpu_hides_no_other(sentence: str) -> None:
    one = ASKED.splitlines()[0]
    answer = parse(f"gpu {sentence}\n{one}\ngpu \nprocess {sentence}\n", {})
    assert [gpu.index for gpu in answer.gpus] == [0]
    assert answer.complaints == [sentence]


@pytest.mark.parametrize("pid", ["Unknown", "[N/A]", "-1", ""])
def test_a_process_without_a_number_is_told_as_it_is(pid: str) -> None:
    answer = parse(f"{ASKED}process {FIRST}, {pid}, 12, sh\nprocess {SECOND}, 7, 12, sh\n", {})
    assert [len(gpu.processes) for gpu in answer.gpus] == [0, 1]
    assert answer.complaints == [f"{FIRST}, {pid}, 12, sh"]


def test_the_number_of_another_namespace_names_no_user() -> None:
    text = f"{ASKED}process {FIRST}, 7, 12, [Not Found]\nuser root\ngroup 0::/docker/{IDENT}\n"
    assert parse(text, {}).gpus[0].processes == [GpuProcess(7, "[Not Found]", "", 12 * MIB, "")]


def test_names_can_not_draw_on_the_terminal() -> None:
    text = f"{ASKED}process {FIRST}, 7, 12, a\x1b[2Jb\nuser d\x07ino\n"
    assert parse(text, {}).gpus[0].processes[0] == GpuProcess(7, "a?[2Jb", "d?ino", 12 * MIB, "")


def test_a_container_that_the_engine_does_not_know_has_the_begin_of_its_id() -> None:
    text = f"{ASKED}process {FIRST}, 7, 1, sh\nuser root\ngroup 12:devices:/docker/{IDENT} 0::/\n"
    assert parse(text, {}).gpus[0].processes[0].container == "5f5f5f5f5f5f"


@pytest.fixture
def project(ssh_home: Path, plain_host: Host) -> Iterator[SampleProject]:
    project = make_project(ssh_home / "gpus", [plain_host], {"a.py": ""}, runtime="none")
    yield project
    plain_host.run(["rm", "-f", "bin/nvidia-smi", "bin/timeout", ".profile", ".bashrc"], check=True)
    project.igor("agent", "stop")


def install(host: Host, script: str, name: str = "nvidia-smi") -> None:
    """Put a program on the PATH of the host's user."""
    host.run(["sh", "-c", f"mkdir -p bin && cat >bin/{name} && chmod 755 bin/{name}"],
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
    *) echo '00000000:02:00.0, 1, 12, init' ;;
esac
""")  # fmt: skip
    done = project.igor("gpus")
    assert done.returncode == 0, done.stderr
    assert (
        "1  NVIDIA GeForce RTX 3090  0 B of 25.8 GB  0 %\n   root: init (1), 12.6 MB\n"
        in done.stdout
    )
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


def test_a_lost_gpu_is_told_and_the_others_are_listed(
    project: SampleProject, plain_host: Host
) -> None:
    path_with_bin(project, plain_host)
    said = "Unable to determine the device handle for GPU 0000:03:00.0: GPU is lost."
    install(plain_host, f"""\
echo '{said}' >&2
case $* in
    *--query-gpu=*) printf '%s' '{CARDS}' ;;
esac
exit 15
""")  # fmt: skip
    done = project.igor("gpus")
    assert done.returncode == 1
    assert "0  NVIDIA A100-SXM4-40GB" in done.stdout
    assert f"nvidia-smi can't read each GPU of plain: {said}" in done.stderr


def test_a_hung_driver_is_an_error(project: SampleProject, plain_host: Host) -> None:
    path_with_bin(project, plain_host)
    install(plain_host, "exec sleep 600\n")
    # The host's `timeout` with less patience, so that the test has it too.
    install(plain_host, 'shift 3\nexec /usr/bin/timeout 0.5 "$@"\n', "timeout")
    done = project.igor("gpus")
    assert done.returncode == 1
    assert "nvidia-smi on plain did not answer for 20 s; its driver hangs" in done.stderr
