"""Programs as they travel: any old Python runs them, from standard input and from a file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from igor_core.debug.launch import HELPER
from igor_core.debug.processes.probe import ADAPTER, PROBE
from igor_core.push.channel.script import RECEIVER as RECEIVER
from igor_core.remote.packer import Bundle
from igor_core.ssh.supervisor_client import SUPERVISOR

BUNDLES = [SUPERVISOR.bundle, RECEIVER.bundle, HELPER, PROBE, ADAPTER]
REMOTE = Path(__file__).parents[3] / "igor_core/remote"


@pytest.fixture(params=BUNDLES, ids=lambda bundle: bundle.main)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: Bundle = request.param
    return found


def test_each_module_is_python_3_6_and_needs_only_the_standard_library(bundle: Bundle) -> None:
    before: set[str] = set()
    for name, source in bundle.sources.items():
        for module in imports(ast.parse(source, name, feature_version=(3, 6))):
            if module.startswith("igor_core."):
                assert before & {module, module.rpartition(".")[0]}, f"{name} imports {module}"
            else:
                assert module.partition(".")[0] in sys.stdlib_module_names, f"{name}: {module}"
        before.add(name)


def test_no_module_is_left_behind() -> None:
    """Each is in a program, but for what is itself a file on hosts, and what packs."""
    packed = {name for bundle in BUNDLES for name in bundle.sources}
    there = {
        ".".join(path.relative_to(REMOTE.parents[1]).with_suffix("").parts)
        for path in REMOTE.rglob("*.py")
        if path.name not in ("__init__.py", "packer.py", "sitecustomize.py")
    }
    assert packed == there


def test_what_follows_the_payload_is_the_program_s(tmp_path: Path) -> None:
    """And `ps` shows whose program it is, within a length that it does not cut off."""
    argv = HELPER.argv(["list"])
    assert argv[2].startswith('"igor/debug_helper.py"')
    assert len(argv[2]) < 200
    code = b"import sys\ndef main():\n    print(sys.argv[1:], sys.stdin.read())\n"
    bundle = Bundle(HELPER.main)
    vars(bundle)["sources"] = {"igor_core.remote.echo": code.decode()}
    done = subprocess.run(
        [sys.executable, *bundle.argv(["a b", "--c"])], input=bundle.payload + b"the rest",
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"['a b', '--c'] the rest\n"
    file = tmp_path / "program.py"
    file.write_text(bundle.file)
    done = subprocess.run(
        [sys.executable, "-I", file, "x"], input=b"all", capture_output=True, check=True
    )
    assert done.stdout == b"['x'] all\n"


def test_a_payload_that_is_cut_off_runs_nothing() -> None:
    for cut in (0, 5, 8, len(PROBE.payload) - 1):
        done = subprocess.run(
            [sys.executable, *PROBE.argv()], input=PROBE.payload[:cut], capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (70, b"", b"")


def imports(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found
