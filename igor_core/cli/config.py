"""`igor config`: check a config, or print its schema."""

import json
import os
from pathlib import Path

from igor_core.cli import report
from igor_core.cli.job import directory
from igor_core.cli.text import printable
from igor_core.commands.parse import Invocation
from igor_core.config import ConfigError, find_project, load
from igor_core.config import schema as config_schema


def check(invocation: Invocation) -> int:
    """Print every mistake in a config (default: the project's); exit status 2 if there are any."""
    folder = directory(invocation)
    given = invocation.values.get("file")
    try:
        if given is None:
            file = find_project(Path(folder)).config_file
        else:
            file = Path(os.path.join(folder, given))
            load(file)
    except ConfigError as error:
        problems = [problem._asdict() for problem in error.problems]
        as_json = bool(invocation.values.get("json"))
        return report.failure(as_json, error.exit_status, error.message, error.hint, problems)
    return report.answer(invocation, [f"{printable(str(file))} is fine"], [])


def schema(invocation: Invocation) -> int:
    """Print the JSON schema, for an editor's `$schema`."""
    found = config_schema()
    return report.answer(invocation, json.dumps(found, indent=2).split("\n"), found)
