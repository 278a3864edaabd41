"""The import rules, read from the sources: layers know only what is below them, and each outside
word has one owner.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: From the ground up. Units of one layer do not know each other.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"", "errors", "quantities", "shapes", "project_python", "remote"}),
    frozenset({"directories", "env_variables", "events", "nearest"}),
    frozenset({"commands"}),
    frozenset({"config", "agent.protocol"}),
    frozenset(
        {
            "agent.client",
            "ssh",
            "runtime",
            "tmux",
            "paths",
            "own_folder",
            "output",
            "trust",
            "worktree",
        }
    ),
    frozenset({"push.channel"}),
    frozenset({"push", "container", "debug"}),
    frozenset({"push.sync", "environment", "doctor"}),
    frozenset({"verbs.state"}),
    frozenset({"verbs.steps"}),
    frozenset({"verbs"}),
    frozenset({"agent"}),
    frozenset({"cli", "igor_nvim"}),
)
HEIGHT = {unit: height for height, layer in enumerate(LAYERS) for unit in layer}

#: Front ends ask the agent; of igor_core they know no more than this.
FRONT_ENDS = LAYERS[-1]
FOR_FRONT_ENDS = {
    "", "errors", "quantities", "events", "directories", "nearest", "commands", "config",
    "agent.client", "agent.protocol",
}  # fmt: skip
#: The agent's end that others hold; the rest of `agent` is the process itself.
AGENT_ENDS = {"agent.client", "agent.protocol"}

#: Packages and programs, and the files or folders (ending in "/") that alone may use them.
PACKAGES = {
    "asyncssh": ("igor_core/ssh/",),
    "msgpack": ("igor_core/agent/protocol.py",),
    "pynvim": ("rplugin/",),
}
#: Doctor asks programs for their version.
PROGRAMS = {
    "docker": ("igor_core/runtime.py",),
    "podman": ("igor_core/runtime.py",),
    "git": ("igor_core/worktree/", "igor_core/doctor/"),
    "rsync": ("igor_core/push/transport/rsync/process.py", "igor_core/doctor/"),
    "tmux": ("igor_core/tmux.py",),
    "kubectl": ("igor_core/experiment/kubernetes.py",),
}


class Import(NamedTuple):
    """`module` in dots, and the names that are taken from it ("" for the module itself)."""

    line: int
    module: str
    name: str


def violations(root: Path) -> list[str]:
    """All breaches of the rules below `root`, each as `file:line: what is wrong`."""
    found: list[str] = []
    for folder in ("igor_core", "rplugin"):
        for path in sorted((root / folder).rglob("*.py")):
            found += file_violations(root, path)
    return found


def file_violations(root: Path, path: Path) -> list[str]:
    name = path.relative_to(root).as_posix()
    syntax = ast.parse(path.read_text(encoding="utf-8"), name)
    found = [f"{name}:{line}: {what}" for line, what in _upward(root, name, syntax)]
    return found + [f"{name}:{line}: {what}" for line, what in _foreign(name, syntax)]


def unit_of(name: str) -> str:
    """The unit that a file ("igor_core/ssh/host.py") or module ("igor_core.ssh.host") is in."""
    parts = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".").split(".")
    if parts[0] == "rplugin" or parts[1:2] == ["bridge"]:
        return "igor_nvim"
    inner = ".".join(parts[1:3])
    return inner if inner in HEIGHT else parts[1] if len(parts) > 1 else ""


def _upward(root: Path, name: str, syntax: ast.Module) -> Iterator[tuple[int, str]]:
    unit = unit_of(name)
    if unit not in HEIGHT:
        yield 1, f"'{unit}' is in no layer; give it a place in {Path(__file__).name}"
        return
    for line, module, taken in _imports(syntax):
        if module.split(".")[0] != "igor_core":
            continue
        other = unit_of(_module(root, module, taken))
        if other not in HEIGHT or not _may_know(unit, other):
            yield line, f"'{unit}' must not know '{other}'"


def _may_know(unit: str, other: str) -> bool:
    if unit == other:
        return True
    if unit in FRONT_ENDS:
        return other in FOR_FRONT_ENDS
    return HEIGHT[other] < HEIGHT[unit]


def _module(root: Path, module: str, taken: str) -> str:
    """What `from module import taken` really names: a module of the package, or a name in one."""
    inner = root / module.replace(".", "/") / taken
    is_module = taken and (inner.is_dir() or inner.with_suffix(".py").is_file())
    return f"{module}.{taken}" if is_module else module


def _foreign(name: str, syntax: ast.Module) -> Iterator[tuple[int, str]]:
    """Packages and programs that are another file's to use."""
    for line, module, _taken in _imports(syntax):
        owners = PACKAGES.get(module.split(".")[0])
        if owners is not None and not name.startswith(owners):
            yield line, f"{module} belongs to {' and '.join(owners)}"
    for line, program in _programs(syntax):
        owners = PROGRAMS.get(program)
        if owners is not None and not name.startswith(owners):
            yield line, f"the program {program} belongs to {' and '.join(owners)}"


def _imports(syntax: ast.Module) -> Iterator[Import]:
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ("igor_core.relative" if node.level else "") + (node.module or "")
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)


def _programs(syntax: ast.Module) -> Iterator[tuple[int, str]]:
    """First words of argument lists: a list of at least two, or what follows `exec` functions."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.List):
            words = node.elts
        elif isinstance(node, ast.Call) and _starts_process(node.func):
            words = node.args
        else:
            continue
        if words and isinstance(words[0], ast.Constant) and isinstance(words[0].value, str):
            literal = isinstance(node, ast.Call) or len(words) > 1
            if literal:
                yield node.lineno, words[0].value


def _starts_process(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "create_subprocess_exec"
