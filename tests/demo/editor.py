"""The demo in a terminal: Neovim on the sample project, with a short guide to the keys."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.demo.show import Demo
from tests.lab.cache import neovim

INIT = Path(__file__).with_name("init.lua")
OLDEST = (0, 10)
END_SECONDS = 3.0


def find_neovim() -> str:
    """The system's Neovim if it is new enough, else the one that install.sh fetched, else ""."""
    system = shutil.which("nvim")
    if system and _version(system) >= OLDEST:
        return system
    fetched = (neovim(version) for version in ("0.12", "0.10"))
    return next((str(path) for path in fetched if os.access(path, os.X_OK)), "")


def _version(program: str) -> tuple[int, int]:
    # Otherwise Neovim writes a log in the user's home.
    quiet = {**os.environ, "NVIM_LOG_FILE": os.devnull}
    said = subprocess.run(
        [program, "--version"], env=quiet, capture_output=True, text=True, check=False
    )
    found = re.match(r"NVIM v(\d+)\.(\d+)", said.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def run_editor(demo: Demo, program: str) -> int:
    """Run Neovim until the user quits; it also ends if the demo ends in another way."""
    guide = demo.place.folder / "guide"
    guide.write_text("\n".join(_guide(demo)) + "\n")
    command = [program, "-u", str(INIT), "-i", "NONE", "-n", "simulate.py"]
    editor = subprocess.Popen(
        command, cwd=demo.root, env={**demo.environment, "IGOR_DEMO_GUIDE": str(guide)}
    )
    try:
        return editor.wait()
    finally:
        _end(editor)


def _end(editor: "subprocess.Popen[bytes]") -> None:
    if editor.poll() is None:
        editor.terminate()
        try:
            editor.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            editor.kill()
            editor.wait()


def _guide(demo: Demo) -> Sequence[str]:
    names = " and ".join(host.name for host in demo.hosts)
    containers = bool(demo.engine.image)
    setup = "push, build if needed, start" if containers else "just push: no containers"
    where = "in the container" if containers else f"on {names}"
    lines = [
        "igor's demo",
        "",
        f"Host: {names}" if len(demo.hosts) == 1 else f"Hosts: {names}",
        f'"runtime": "{demo.engine.config["runtime"]}", because',
        f"{demo.engine.reason}",
        "",
        "<Space>ip   push the code",
        f"<Space>ids  {setup}",
        ":IgorExec python3 simulate.py",
        f"            run it {where}",
    ]
    if containers:
        lines += ["<Space>idb  build only", "<Space>idc  remove the container"]
    return [
        *lines,
        "",
        "Edit pendulum/model.py (gf on its",
        "name), :w, and run it again: igor",
        "pushes first.",
        "",
        "q           close the output",
        ":IgorOutput show it again",
        ":help igor  the manual",
        ":qa         quit; all is removed",
    ]
