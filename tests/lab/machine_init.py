"""The first process of a lab host: it makes the host's own view of the machine, then waits.

It runs in fresh mount, process, network, name and ipc namespaces. Nothing that it mounts or writes
is seen outside of them, and when it ends the kernel ends all that ever ran on the host: sshd,
engine, containers. It ends with its standard input, so with the lab's process, however that dies.

usage: machine_init.py JSON, with name, folder (the host's disk), user, uid, docker and python.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


def tool(*argv: str) -> None:
    subprocess.run(argv, check=True, stdout=sys.stderr)


def mount(*arguments: str) -> None:
    tool("mount", *arguments)


def tmpfs(where: str, mode: str = "755") -> None:
    mount("-t", "tmpfs", "-o", f"mode={mode}", "igor-lab", where)


def overlay(where: str) -> None:
    """Make a system folder the host's own to change, in memory."""
    name = where.strip("/")
    upper, work = Path("/run/lab/upper", name), Path("/run/lab/work", name)
    upper.mkdir(parents=True)
    work.mkdir(parents=True)
    options = f"lowerdir={where},upperdir={upper},workdir={work}"
    mount("-t", "overlay", "-o", options, "igor-lab", where)


def disk(source: str, where: str, mode: int = 0o755) -> None:
    """Give the host a folder on the real disk: too big for memory, or an overlay's upper layer."""
    folder = Path("/run/lab/disk", source)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)
    Path(where).mkdir(parents=True, exist_ok=True)
    mount("--bind", str(folder), where)


def open_device(where: str) -> None:
    """Let the normal user open a device, as udev's rules do on a usual system."""
    if not os.path.exists(where):
        return
    private = Path("/run/lab", os.path.basename(where))
    os.mknod(private, os.stat(where).st_mode | 0o666, os.stat(where).st_rdev)
    private.chmod(0o666)
    mount("--bind", str(private), where)


def make_file_systems(folder: str) -> None:
    tmpfs("/run")
    os.makedirs("/run/lab/disk")
    os.chmod("/run/lab", 0o700)
    mount("--bind", folder, "/run/lab/disk")
    for system_folder in ("/etc", "/usr", "/var"):
        overlay(system_folder)
    shutil.rmtree("/etc/docker", ignore_errors=True)  # the machine's settings, and its engine's id
    tmpfs("/usr/local")  # a second docker client there may not fit the engine
    tmpfs("/home")
    tmpfs("/root", "700")
    tmpfs("/var/log")
    disk("tmp", "/tmp", 0o1777)
    disk("var-tmp", "/var/tmp", 0o1777)
    disk("docker", "/var/lib/docker", 0o711)
    open_device("/dev/fuse")
    open_device("/dev/net/tun")


def make_user(user: str, uid: int) -> None:
    home = f"/home/{user}"
    disk("home", home)
    tool("groupadd", "--force", "docker")
    command = ["useradd", "--uid", str(uid), "--user-group", "--groups", "docker"]
    command += ["--shell", "/bin/bash", "--home-dir", home, "--no-create-home", user]
    tool(*command)
    shutil.copytree("/etc/skel", home, dirs_exist_ok=True)
    runtime = f"/run/user/{uid}"
    os.makedirs(runtime, mode=0o755)
    os.chmod(runtime, 0o700)
    tool("chown", "-R", f"{user}:", home, runtime)


def remove_tools(*patterns: str) -> None:
    for folder in ("/usr/bin", "/usr/sbin"):
        for pattern in patterns:
            for tool in Path(folder).glob(pattern):
                tool.unlink()


def main() -> None:
    host = json.loads(sys.argv[1])
    tool("hostname", host["name"])
    make_file_systems(host["folder"])
    make_user(host["user"], host["uid"])
    if not host["docker"]:
        remove_tools("docker*", "containerd*")
    if not host["python"]:
        remove_tools("python*", "pypy*")
    os.mkdir("/run/sshd", 0o755)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the host's orphans
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
