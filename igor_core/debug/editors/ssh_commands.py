"""Command lines by which an editor starts igor's helper on a host with nothing but ssh.

The helper is the file that `igor docker setup` keeps there, see paths.RUN_FOLDER.
"""

import posixpath
import shlex
from collections.abc import Sequence

from igor_core.config import Project
from igor_core.debug.editors.endpoints import Endpoint, runtime_of
from igor_core.paths import DEBUG_HELPER, PROJECT_PYTHON

#: On both sides of a word's part that the editor will fill in with letters and digits.
UNQUOTED = "\0"


def ssh_words(endpoint: Endpoint) -> list[str]:
    """The ssh client for a host, by which no one is asked anything."""
    entry = endpoint.entry
    port = ["-p", str(entry.port)] if entry.port else []
    target = f"{entry.user}@{entry.host}" if entry.user else entry.host
    return ["ssh", "-o", "BatchMode=yes", *port, target]


def helper(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """The line for the host's shell that runs igor's helper there."""
    file = _path(posixpath.join(endpoint.run, DEBUG_HELPER))
    return _python(project, endpoint, ["-I", file, *map(_word, arguments)])


def python(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """The line for the host's shell that runs the project's Python: in its container, if any."""
    return _python(project, endpoint, [_word(argument) for argument in arguments])


def _python(project: Project, endpoint: Endpoint, arguments: Sequence[str]) -> str:
    """`arguments` are quoted already. The Python is the config's, else found by igor's own rule."""
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
    """A folder or file on the host, quoted but for the home there."""
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def _word(word: str) -> str:
    """A word, quoted but for what is still to be filled in."""
    plain = word.replace(UNQUOTED, "")
    return word if shlex.quote(plain) == plain else shlex.quote(word)
