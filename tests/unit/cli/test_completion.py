"""Completion: what igor offers, and that bash, zsh and fish really offer it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from igor_core.cli.complete import candidates
from igor_core.cli.completion import SCRIPTS
from igor_core.config.project import CONFIG_FILE
from tests.lab.required import require_peer
from tests.support.cli_process import ROOT, Terminal, environment, igor


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a config of two groups, and `igor` on the PATH."""
    groups = {
        "dev": {"hosts": [{"host": "apollo", "dir": "/data"}]},
        "cluster": {"hosts": [{"host": h, "dir": "/data"} for h in ("apollo", "enterprise")]},
    }
    (tmp_path / ".igor").mkdir()
    (tmp_path / CONFIG_FILE).write_text(json.dumps({"host_groups": groups}))
    (tmp_path / "train.py").touch()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "igor"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m igor_core.cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pu", ["push"]),
        ("docker ", ["build", "clean", "setup", "exec", "repl"]),
        ("agent st", ["status", "stop"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("push --all", ["--allow-deletes"]),
        ("docker clean --i", ["--images"]),
        ("docker exec --no", ["--no-push"]),
        ("docker exec ls --no", [":files"]),
        ("docker exec python ", [":files"]),
        ("run --no", ["--no-push"]),
        ("run ", [":files"]),
        ("run train.py --ep", [":files"]),
        ("push -g ", ["dev", "cluster"]),
        ("push --host-group=c", ["--host-group=cluster"]),
        ("push --host ", ["apollo", "enterprise"]),
        ("push -g dev --host ", ["apollo"]),
        ("-g cluster push --host e", ["enterprise"]),
        ("config check ", [":files"]),
        ("-C ", [":files"]),
        ("-C / push -g ", []),
        ("push --nonsense ", []),
        ("jobs ", []),
        ("nonsense ", []),
        ("--js", ["--json"]),
    ],
)
def test_what_fits_is_offered(line: str, expected: list[str], project: Path) -> None:
    done = igor("__complete", "--", *line.split(" "))
    offered = [found.partition("\t")[0] for found in done.stdout.decode().splitlines()]
    assert (offered, done.stderr) == (expected, b"")


def test_descriptions_come_from_the_table() -> None:
    assert ("push", "Update the files on the hosts.") in candidates([], "")


def test_a_broken_config_offers_nothing_and_says_nothing(project: Path) -> None:
    (project / CONFIG_FILE).write_text("{")
    done = igor("__complete", "--", "push", "-g", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def shell(name: str) -> str:
    if name != "bash":
        require_peer(name)
    return str(shutil.which(name))


def bash_offers(*words: str) -> list[str]:
    """What bash's completion function answers for these words, the last being completed."""
    script = (
        'eval "$(igor completion bash)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        'compopt() { :; }; _igor igor; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = [shell("bash"), "--norc", "-c", script, "bash", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["igor", "doc"], ["docker", "doctor"]),
        (["igor", "docker", ""], ["build", "clean", "setup", "exec", "repl"]),
        (["igor", "push", "-g", "cl"], ["cluster"]),
        (["igor", "push", "--host-group", "=", "cl"], ["cluster"]),
        (["igor", "push", "--host-group", "="], ["dev", "cluster"]),
        (["igor", "docker", "exec", "tr"], ["train.py"]),
        (["igor", "run", "tr"], ["train.py"]),
        (["igor", "-C", "bi"], ["bin"]),
    ],
)
def test_bash_offers_it(words: list[str], expected: list[str], project: Path) -> None:
    assert bash_offers(*words) == expected


def test_bash_completes_at_a_prompt(project: Path) -> None:
    bash = [shell("bash"), "--norc", "--noprofile", "-i"]
    terminal = Terminal(command=bash, env=environment(PS1="$ ", HISTFILE="/dev/null"))
    terminal.type('eval "$(igor completion bash)"; echo rea""dy\n')
    terminal.wait_for("ready")
    terminal.type("echo igor; igor docker exec --no-\t tr\t")
    terminal.wait_for("--no-push  train.py")
    terminal.type("\x15exit\n")
    terminal.end()


def test_zsh_completes_at_a_prompt(project: Path) -> None:
    zsh = [shell("zsh"), "-f", "-i"]
    terminal = Terminal(command=zsh, env=environment(PS1="$ ", TERM="dumb"))
    terminal.type(
        'autoload -Uz compinit; compinit -u; eval "$(igor completion zsh)"; echo rea""dy\n'
    )
    terminal.wait_for("ready")
    terminal.type("igor docker exec --host-group=clu\t --no-p\t tr\t")
    terminal.wait_for("train.py")
    terminal.type("\x15exit\n")
    terminal.end()


def test_fish_offers_it_with_descriptions(project: Path) -> None:
    def offers(line: str) -> list[str]:
        script = f"igor completion fish | source; complete -C '{line}'"
        command = [shell("fish"), "--no-config", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert offers("igor doct") == ["doctor\tCheck the local machine, the connection and each host."]
    assert sorted(offers("igor push -g ")) == ["cluster", "dev"]
    assert offers("igor docker exec tr") == ["train.py"]


def test_every_script_is_printed_as_it_is() -> None:
    for name, script in SCRIPTS.items():
        assert igor("completion", name).stdout.decode() == script.lstrip("\n")
