"""Makes the outputs in this folder: runs each command of cases.py on the sample project and keeps
what it printed, byte for byte, in NAME.out.

    sudo python3 -m tests.data.outputs.generate --pythons DIR --tools VENV [NAME…]

DIR holds Pythons as pyenv keeps them (3.8.18/bin/python3.8 and so on; /opt/python/3.8 for the
command), VENV (made by Python 3.11 of them) pytest, mypy, ruff, flake8, pylint, pyright, ipython,
rich, tqdm and pytest-xdist. Compilers, cmake, cargo, go and node are the system's.

The commands run as in a container: a mount namespace with a root of its own, in which /workspace is
a fresh copy of the project, and so is /home/dino/data2/dev_dsk/sample, as on a host without
containers. Cases of docker and podman ask the engine of this machine (DOCKER_HOST), which must have
an image igor-base with a shell and python3.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.data.outputs import project
from tests.data.outputs.cases import CASES, Case

# A root made of the machine's own folders, and of what a container has. Nothing is written to
# the machine: the mounts are the namespace's and end with it.
ROOT = """
set -eu
mount -t tmpfs none "$ROOT"
for entry in /*; do
    name=${entry#/}
    case $name in home|opt|tmp|workspace) continue ;; esac
    if [ -L "$entry" ]; then cp -P "$entry" "$ROOT/$name"
    elif [ -d "$entry" ]; then mkdir "$ROOT/$name"; mount --rbind "$entry" "$ROOT/$name"
    fi
done
mkdir -p "$ROOT/tmp" "$ROOT/workspace" "$ROOT/venv" "$ROOT/home/dino/data2/dev_dsk/sample"
mount --bind "$PROJECT" "$ROOT/workspace"
mount --bind "$PROJECT" "$ROOT/home/dino/data2/dev_dsk/sample"
mount --bind "$TOOLS" "$ROOT/venv"
for python in "$PYTHONS"/3.*; do
    version=${python##*/}
    version=${version%.*}
    mkdir -p "$ROOT/opt/python/$version"
    mount --bind "$python" "$ROOT/opt/python/$version"
done
exec chroot "$ROOT" sh -c 'cd "$1" && eval "$2"' sh "$FOLDER" "$COMMAND"
"""


PASSED = ("DOCKER_HOST", "DOCKER_CONFIG", "RUSTUP_HOME", "CARGO_HOME")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pythons", type=Path, required=True)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for case in CASES:
        if not options.names or case.name in options.names:
            output = run(case, options.pythons, options.tools)
            (project.HERE / f"{case.name}.out").write_bytes(output)
            print(case.name, len(output), file=sys.stderr, flush=True)


def run(case: Case, pythons: Path, tools: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "project")
        project.write(tree)
        command = case.command if case.terminal is False else f"script -qec '{case.command}' -"
        if case.engine:
            return _output(["sh", "-c", command], {}, tree)
        Path(folder, "root").mkdir()
        environment = {
            "ROOT": f"{folder}/root", "PROJECT": str(tree), "TOOLS": str(tools),
            "PYTHONS": str(pythons), "FOLDER": case.folder, "COMMAND": command,
        }  # fmt: skip
        return _output(["unshare", "-m", "sh", "-c", ROOT], environment, tree)


def _output(argv: list[str], more: dict[str, str], folder: Path) -> bytes:
    """Both streams in one, as a terminal sees them."""
    environment = {
        "PATH": f"/venv/bin:/opt/python/3.11/bin:{os.environ['PATH']}",
        "HOME": "/tmp", "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLUMNS": "100",
        "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1", "CARGO_NET_OFFLINE": "true",
        **{name: os.environ[name] for name in PASSED if name in os.environ},
    }  # fmt: skip
    done = subprocess.run(
        argv, cwd=folder, env=environment | more, check=False, timeout=300,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    main()
