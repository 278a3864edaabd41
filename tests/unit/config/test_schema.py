import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from igor_core.config import schema
from tests.support.config_examples import CLUSTER, EVERYTHING, SIMPLE
from tests.support.config_mistakes import MISTAKES

VALIDATOR = jsonschema.Draft7Validator(schema())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    json.dumps(schema())


@pytest.mark.parametrize("good", [json.loads(SIMPLE), json.loads(CLUSTER), EVERYTHING])
def test_the_schema_accepts_what_the_checker_accepts(good: Any) -> None:
    assert list(VALIDATOR.iter_errors(good)) == []


@pytest.mark.parametrize(("wrong", "sentence"), MISTAKES, ids=[m[1][:60] for m in MISTAKES])
def test_the_schema_refuses_what_the_checker_refuses(wrong: Any, sentence: str) -> None:
    assert not VALIDATOR.is_valid(wrong), sentence


def test_every_key_is_described() -> None:
    def tables(part: Any) -> list[dict[str, Any]]:
        if not isinstance(part, dict):
            return []
        found = [part["properties"]] if isinstance(part.get("properties"), dict) else []
        return found + [table for value in part.values() for table in tables(value)]

    for table in tables(schema()):
        for name, entry in table.items():
            assert name == "$schema" or entry["description"].endswith("."), name


def test_defaults_and_choices_stand_in_the_schema() -> None:
    keys = schema()["properties"]
    assert keys["workspace"]["default"] == "/workspace"
    assert keys["runtime"]["enum"] == ["docker", "podman", "none"]
    assert "default" not in keys["user"]


def test_reading_a_config_loads_no_heavy_module(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(SIMPLE)
    script = (
        "import sys; before = set(sys.modules); from pathlib import Path;"
        "from igor_core.config import load; load(Path(sys.argv[1]));"
        "print(*set(sys.modules).difference(before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "igor_core.config" in loaded
    assert {"asyncio", "email", "difflib", "argparse", "getpass", "ssl"}.isdisjoint(loaded)
