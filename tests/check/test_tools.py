"""What the linters and type checkers say of the sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.required import require_peer

CHECKOUT = Path(__file__).parents[2]
LUA = ["lua", "tests/support", "tests/demo"]


def said_by(*command: str) -> str:
    """What a tool that found something printed; empty where all is well."""
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def shell_files() -> list[str]:
    """The scripts that sh runs, by their names or their first line."""
    named = [CHECKOUT / ".ci" / "run", *CHECKOUT.glob("tests/**/*.sh")]
    return [str(path.relative_to(CHECKOUT)) for path in named]


def python(*arguments: str) -> str:
    return said_by(sys.executable, "-m", *arguments)


def clean(found: str) -> None:
    if found:
        pytest.fail(found, pytrace=False)


def test_ruff_formats_nothing_anew() -> None:
    clean(python("ruff", "format", "--check", "--quiet", "--diff", "."))


def test_ruff_finds_nothing() -> None:
    clean(python("ruff", "check", "--quiet", "."))


@pytest.mark.timeout(300)
def test_types_are_right() -> None:
    clean(python("mypy", "--strict", "igor_core", "rplugin"))


def test_luacheck_finds_nothing() -> None:
    require_peer("luacheck")
    clean(said_by("luacheck", "--no-color", *LUA))


def test_shellcheck_finds_nothing() -> None:
    require_peer("shellcheck")
    clean(said_by("shellcheck", *shell_files()))
