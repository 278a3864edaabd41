"""Which Python runs the project's programs on a host."""

from igor_core.debug.launch import Python
from igor_core.verbs.debug_program import Program
from igor_core.verbs.targets import Target


def python_for(target: Target, program: Program | None = None) -> Python:
    configured = program.python if program else target.project.config.debug.python
    return Python(configured or "", target.project.name)
