"""The Python that runs the project's programs."""

from igor_core.debug.launch import Python
from igor_core.verbs.steps.targets import Target


def python_for(target: Target, chosen: str = "") -> Python:
    """Return the Python to use; `chosen` takes precedence over the config."""
    return Python(chosen or target.project.config.debug.python or "", target.project.name)
