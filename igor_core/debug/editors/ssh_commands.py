"""Command lines with which an editor starts the debug helper on a host via plain ssh.

The helper is the file that `igor docker setup` keeps on the host, see paths.RUN_FOLDER.
"""

import posixpath
import shlex
from collections.abc import Sequence

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint, runtime_of
from igor_core.paths import DEBUG_HELPER, PROJECT_PYTHON

#: Encloses the name of a variable that the editor replaces with letters and digits.
UNQUOTED = "\0"


def ssh_words(endpoint: Endpoint) -> list[str]:
    """Return the words of an ssh client for the host that never prompts."""
    entry = endpoint.entry
    port = ["-p", str(entry.port)] if entry.port else []
    target = f"{entry.user}@{entry.host}" if entry.user else entry.host
    return ["ssh", "-o", "BatchMode=yes", *port, target]


def helper(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """Return the line for the host's shell that runs the debug helper."""
    file = _path(posixpath.join(endpoint.run, DEBUG_HELPER))
    return _python(project, endpoint, ["-I", file, *map(_word, arguments)])


def python(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """Return the line for the host's shell that runs the project's Python (in its container)."""
    return _python(project, endpoint, [_word(argument) for argument in arguments])


def _python(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """`arguments` are quoted already. The Python is the config's, else the project's own."""
    configured = project.config.debug.python
    finder = ["sh", _path(posixpath.join(endpoint.run, PROJECT_PYTHON)), _word(project.name)]
    words = [*([_word(configured)] if configured else finder), *arguments]
    runtime = runtime_of(project)
    if runtime is not None:
        return " ".join([shlex.join(runtime.exec(endpoint.container, [])), *words])
    env = [_word(f"{name}={value}") for name, value in endpoint.entry.env.items()]
    enter = ["cd", _path(endpoint.root), "&&", "exec", *(["env", *env] if env else [])]
    return " ".join([*enter, *words])


def _path(path: str) -> str:
    """Quote a path on the host, all but a leading "~/"."""
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def _word(word: str) -> str:
    """Quote a word, all but the variables in it."""
    plain = word.replace(UNQUOTED, "")
    return word if shlex.quote(plain) == plain else shlex.quote(word)
