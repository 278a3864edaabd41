"""The lab keeps its promises: real logins, real engines, real faults, and nothing left behind."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import Host, HostPlan, Lab, slot
from tests.lab.cache import cache_folder
from tests.lab.required import require_peer
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).parents[3]


def ssh(lab: Lab, host: str, command: str, *options: str) -> "subprocess.CompletedProcess[str]":
    argv = ["ssh", "-F", str(lab.ssh_config), "-o", "ConnectTimeout=3", *options, host, command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


class Shell:
    """A login that stays open and answers a line with the same line."""

    def __init__(self, lab: Lab, host: str) -> None:
        self.process = subprocess.Popen(
            ["ssh", "-F", str(lab.ssh_config), host, "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def echo(self) -> float:
        """Seconds that one line took there and back."""
        assert self.process.stdin
        assert self.process.stdout
        start = time.monotonic()
        self.process.stdin.write(b"x\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"x\n"
        return time.monotonic() - start

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(10)


# -- hosts


def test_a_user_logs_in_with_its_key_and_is_not_root(lab: Lab) -> None:
    for host in (lab["apollo"], lab["enterprise"]):
        done = ssh(lab, host.name, "hostname; id -un; pwd")
        assert done.stdout.split() == [host.name, host.user, host.home], done.stderr


def test_each_session_reaches_its_own_engine_which_has_the_base_image(lab: Lab) -> None:
    engines = set()
    hosts = [lab["apollo"], lab["enterprise"]]
    for host in hosts:
        run = ssh(lab, host.name, "docker run --rm igor-base:latest python3 -c 'print(6 * 7)'")
        assert run.stdout == "42\n", run.stderr
        engines.add(ssh(lab, host.name, "docker info --format '{{.ID}}'").stdout)
    assert len(engines) == len(hosts)


def test_hosts_see_neither_each_other_s_processes_nor_the_machine_s(lab: Lab) -> None:
    seen = ssh(lab, "apollo", "ps -e -o comm=").stdout.split()
    assert seen.count("dockerd") == 1
    assert "pytest" not in seen


def test_the_truth_is_seen_without_ssh(lab: Lab) -> None:
    apollo = lab["apollo"]
    ssh(lab, "apollo", "printf '\\377 %s' \"$(id -u)\" > truth; ln -s truth link")
    assert apollo.read("truth") == b"\xff " + str(apollo.uid).encode()
    assert apollo.path("truth").stat().st_uid == apollo.uid
    assert apollo.run(["readlink", f"{apollo.home}/link"]).stdout == "truth\n"
    assert apollo.run(["false"]).returncode == 1


def test_a_host_can_be_a_jump_host_to_the_other(lab: Lab) -> None:
    proxy = f"ProxyCommand=ssh -F {lab.ssh_config} -W %h:%p apollo"
    assert ssh(lab, "enterprise", "hostname", "-o", proxy).stdout == "enterprise\n"


def test_an_unknown_host_key_is_refused(lab: Lab) -> None:
    done = ssh(lab, "apollo", "true", "-o", "UserKnownHostsFile=/dev/null")
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_a_host_without_python_has_a_shell_and_rsync_but_neither_python_nor_docker(
    lab: Lab, pythonless_host: Host
) -> None:
    done = ssh(lab, pythonless_host.name, "command -v rsync sha256sum; python3 -V; docker ps")
    assert done.stdout.split() == ["/usr/bin/rsync", "/usr/bin/sha256sum"]
    assert "python3: command not found" in done.stderr
    assert "docker: command not found" in done.stderr
    assert Path("/usr/bin/python3").exists(), "the machine itself must keep its python3"


@pytest.mark.parametrize("login", ["password", "keyboard-interactive"])
def test_a_host_can_ask_for_a_password(lab: Lab, home: Path, login: str) -> None:
    host = lab.add(HostPlan(f"asks-{login[:8]}", docker=False, login=login))  # type: ignore[arg-type]
    assert "Permission denied" in ssh(lab, host.name, "true", "-o", "BatchMode=yes").stderr
    answer = home / "answer"
    answer.write_text(f"#!/bin/sh\necho '{host.password}'\n")
    answer.chmod(0o700)
    environment = os.environ | {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
    argv = ["ssh", "-F", str(lab.ssh_config), "-o", f"PreferredAuthentications={login}"]
    done = subprocess.run(
        [*argv, host.name, "hostname"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=20,
        check=False,
    )
    assert done.stdout == f"{host.name}\n", done.stderr


def test_rootless_podman_runs_the_base_image_with_files_that_belong_to_the_user(
    lab: Lab, podman_host: Host
) -> None:
    command = "podman run --rm --userns=keep-id -v ~:/workspace igor-base:latest"
    done = ssh(lab, podman_host.name, f"{command} sh -c 'touch /workspace/made; id -u'")
    assert done.stdout == f"{podman_host.uid}\n", done.stderr
    assert podman_host.path("made").stat().st_uid == podman_host.uid
    assert podman_host.podman("info", "--format", "{{.Host.Security.Rootless}}").stdout == "true\n"


# -- faults


def test_nothing_passes_a_cut_cable_and_an_open_session_goes_on_when_it_is_mended(lab: Lab) -> None:
    shell = Shell(lab, "apollo")
    shell.echo()
    lab["apollo"].cut()
    assert ssh(lab, "apollo", "true").returncode == 255
    assert ssh(lab, "enterprise", "true").returncode == 0
    lab["apollo"].mend()
    shell.echo()
    assert shell.close() == 0
    assert ssh(lab, "apollo", "true").returncode == 0


def test_a_killed_sshd_ends_its_sessions_and_refuses_until_it_starts_again(lab: Lab) -> None:
    apollo = lab["apollo"]
    shell = Shell(lab, "apollo")
    shell.echo()
    apollo.kill_sshd()
    assert shell.process.wait(10) == 255
    assert "Connection refused" in ssh(lab, "apollo", "true").stderr
    apollo.start_sshd()
    assert ssh(lab, "apollo", "true").returncode == 0


def test_a_killed_engine_is_down_until_it_starts_again_with_its_images(lab: Lab) -> None:
    apollo = lab["apollo"]
    apollo.docker("run", "-d", "--init", "--name", "sleeper", "igor-base:latest", "sleep", "1000")
    apollo.kill_docker()
    assert "Cannot connect" in ssh(lab, "apollo", "docker ps").stderr
    apollo.start_docker()
    assert ssh(lab, "apollo", "docker images -q igor-base").stdout
    assert "Exited" in apollo.docker("ps", "-a", "--format", "{{.Status}}").stdout
    assert apollo.docker("rm", "-f", "sleeper").returncode == 0


def test_a_delay_is_a_round_trip_and_changes_under_an_open_session(lab: Lab) -> None:
    apollo = lab["apollo"]
    apollo.delay(0)
    shell = Shell(lab, "apollo")
    shell.echo()
    near = min(shell.echo() for _ in range(5))
    apollo.delay(1000)
    shell.echo()
    far = min(shell.echo() for _ in range(3))
    apollo.delay(0)
    near_again = min(shell.echo() for _ in range(5))
    assert 0.99 < far - near < 1.9
    assert near_again < 0.5
    shell.close()


def test_a_delay_limits_no_bandwidth(lab: Lab) -> None:
    lab["apollo"].delay(20)
    start = time.monotonic()
    done = ssh(lab, "apollo", "head -c 50000000 /dev/zero | tr '\\0' x | wc -c")
    small = time.monotonic() - start
    assert done.stdout == "50000000\n"
    start = time.monotonic()
    done = ssh(lab, "apollo", "head -c 50000000 /dev/zero")
    big = time.monotonic() - start
    assert len(done.stdout) == 50_000_000
    # 2 MB of window per channel and round trip: 25 round trips of 20 ms, and what two cores need.
    assert big - small < 3


def test_heal_undoes_every_fault(lab: Lab) -> None:
    apollo = lab["apollo"]
    apollo.delay(40)
    apollo.cut()
    apollo.kill_sshd()
    apollo.kill_docker()
    apollo.heal()
    assert ssh(lab, "apollo", "docker images -q").stdout


def test_reset_leaves_only_the_base_image_and_an_empty_home(lab: Lab) -> None:
    apollo = lab["apollo"]
    dockerfile = "FROM igor-base:latest\nRUN echo hello > /hello\n"
    apollo.run(["mkdir", "work"], check=True)
    apollo.run(["docker", "build", "-q", "-t", "made", "-"], input=dockerfile, check=True)
    apollo.docker("run", "-d", "made", "sleep", "1000")
    apollo.reset()
    assert apollo.docker("ps", "-aq").stdout == ""
    assert apollo.docker("images", "--format", "{{.Repository}}").stdout == "igor-base\n"
    assert apollo.run(["ls"]).stdout == ""
    assert ssh(lab, "apollo", "true").returncode == 0


# -- the machine


def machine_state() -> dict[str, str]:
    """What a lab could have changed on the machine."""
    files = ("/etc/passwd", "/etc/group", "/etc/subuid", "/proc/sys/net/ipv4/ip_forward")
    state = {name: Path(name).read_text() for name in files}
    state["mounts"] = Path("/proc/self/mounts").read_text()
    state["links"] = command("ip", "-br", "address")
    state["rules"] = command("iptables", "-t", "nat", "-S")
    return state


def without_others(state: dict[str, str], name: str) -> dict[str, list[str]]:
    """The state without the lines of labs other than `name`: they come and go meanwhile."""
    index = name.removeprefix("igor-lab")
    other = re.compile(rf"igor-lab(?!{index}\b)\d|/labs/(?!{index}\b)\d|10\.213\.(?!{index}\.)\d")
    return {
        what: [line for line in text.splitlines() if not other.search(line)]
        for what, text in state.items()
    }


def command(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def traces(name: str) -> list[str]:
    """What is on the machine under the name of a lab."""
    found = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{name}")]
    found += [str(path) for path in Path("/sys/class/net").glob(name)]
    index = name.removeprefix("igor-lab")
    found += [str(path) for path in (cache_folder() / "labs").glob(index)]
    return found


def test_a_lab_leaves_the_machine_as_it_was(lab: Lab) -> None:
    before = machine_state()
    with Lab(hosts=1) as other:
        name = other._slot.name
        other.hosts[0].docker("run", "-d", "igor-base:latest", "sleep", "1000")
        # What a container runs has its name a little after the container has started.
        wait_until(lambda: bool(other.hosts[0].pids("sleep")))
        pids = other.hosts[0].pids("dockerd", "sshd", "sleep")
        assert len(pids) >= 3
        assert traces(name)
        assert ssh(other, "apollo", "hostname").stdout == "apollo\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert traces(name) == []
    assert without_others(machine_state(), name) == without_others(before, name)


LAB_TO_BE_KILLED = """
import json, signal, sys
from tests.lab import Lab
with Lab(hosts=1) as lab:
    host = lab["apollo"]
    host.docker("run", "-d", "igor-base:latest", "sleep", "1000")
    host.delay(5)
    print(json.dumps([lab._slot.name, host.pids("dockerd", "containerd", "sshd", "sleep")]))
    sys.stdout.flush()
    signal.pause()
"""


def test_a_lab_whose_process_was_killed_ends_by_itself_and_its_remains_are_removed(
    lab: Lab,
) -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", LAB_TO_BE_KILLED], cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    assert maker.stdout
    name, pids = json.loads(maker.stdout.readline())
    assert len(pids) >= 4
    assert traces(name)
    maker.send_signal(signal.SIGKILL)
    maker.wait(10)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert name in slot.clear_leftovers()
    assert traces(name) == []


def test_for_people_up_prints_how_to_log_in_and_ctrl_c_ends_it(lab: Lab) -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "up", "1"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert up.stdout
    printed = ""
    while "ctrl-c to end it" not in printed:
        line = up.stdout.readline()
        assert line, printed
        printed += line
    login = next(line for line in printed.splitlines() if "To log in:" in line)
    config = Path(login.split()[-2])
    assert config.exists()
    assert '"host": "apollo"' in printed
    down = command(sys.executable, "-m", "tests.lab", "down")
    assert f"process {up.pid}" in down
    up.send_signal(signal.SIGINT)
    assert up.wait(20) == 0
    assert not config.exists()


# -- what tests and people get


def test_a_second_installation_does_nothing_and_costs_less_than_a_second() -> None:
    require_peer()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["sh", str(CHECKOUT / "tests" / "lab" / "install.sh"), "test"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_an_installation_that_may_not_happen_names_what_is_missing(tmp_path: Path) -> None:
    for tool in ("sh", "dirname", "sort", "tr", "id", "cat", "sed"):
        found = command("sh", "-c", f"command -v {tool}").strip()
        (tmp_path / tool).symlink_to(found)
    done = subprocess.run(
        ["sh", str(CHECKOUT / "tests" / "lab" / "install.sh"), "demo"],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "git" in done.stderr
    assert "rsync" in done.stderr


def test_check_lists_every_peer() -> None:
    listed = command(sys.executable, "-m", "tests.lab", "check")
    for peer in ("root", "sshd", "rsync", "tmux", "dockerd", "podman", "nvim 0.10", "nvim 0.12"):
        assert any(line.startswith(peer) for line in listed.splitlines())


def test_neovim_starts_in_the_version_that_was_asked_for(nvim: Path) -> None:
    version = nvim.parent.parent.name.removeprefix("nvim-")
    script = "lua io.write(tostring(vim.version()), ' ', tostring(jit ~= nil))"
    done = subprocess.run(
        [str(nvim), "--clean", "--headless", "+help", f"+{script}", "+qa"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout.startswith(f"{version}."), done
    assert done.stderr == ""


def test_a_test_has_its_own_home_with_room_for_socket_paths(home: Path) -> None:
    assert Path.home() == home
    assert os.environ["XDG_RUNTIME_DIR"].startswith(str(home))
    assert len(os.environ["XDG_RUNTIME_DIR"]) < 50
    assert (home / "run").stat().st_mode & 0o777 == 0o700
