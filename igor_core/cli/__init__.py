"""The command line: what people type in a terminal, and what scripts read with `--json`.

It talks to the agent only and imports as little as it can: a push with nothing to do
spends most of its time starting Python.
"""

from igor_core.cli.entry import main

__all__ = ["main"]
