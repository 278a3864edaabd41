"""The projects that the user trusts: the config of a cloned repository must not act by itself.

One file, `$XDG_STATE_HOME/igor/trust.json`: the roots that the user trusted and the digests of what
each said then (Project.digest). A changed config is no longer trusted, until it is as it was. Only
what happens without a typed command asks for trust; a command that the user types is consent to
that command.
"""

import functools
import json
import os
from pathlib import Path

from igor_core import directories
from igor_core.config import Project
from igor_core.errors import IgorError

_NAME = "trust.json"
# So many versions of a config are remembered for each root: those of its branches.
_MOST = 20


def is_trusted(project: Project) -> bool:
    """Whether the user trusted this root with exactly this config."""
    return project.digest in _read().get(str(project.root), ())


def trust(project: Project) -> None:
    """Trust the project until its config changes."""
    roots = _read()
    others = [known for known in roots.get(str(project.root), ()) if known != project.digest]
    _write({**roots, str(project.root): [*others, project.digest][-_MOST:]})


def revoke(project: Project) -> bool:
    """Revoke the trust; return whether there was any."""
    roots = dict(_read())
    had = roots.pop(str(project.root), None) is not None
    _write(roots)
    return had


def _file() -> Path:
    return directories.state_directory() / _NAME


def _read() -> dict[str, list[str]]:
    try:
        # Each save asks; the file is replaced, never changed.
        name = os.path.join(directories.state_path(), _NAME)
        found = os.stat(name)
        if found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise IgorError(
                f"{name} belongs to another user, or others can write it",
                "remove it, then trust your projects again: igor trust",
            )
        return _read_version(name, found.st_ino, found.st_mtime_ns)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise IgorError(
            f"{_file()} can't be read", "remove it, then trust your projects again: igor trust"
        ) from None


@functools.lru_cache(maxsize=1)
def _read_version(name: str, _inode: int, _mtime_ns: int) -> dict[str, list[str]]:
    found = json.loads(Path(name).read_text("utf-8"))
    if not isinstance(found, dict) or not all(map(_is_digests, found.values())):
        raise ValueError("not a table of digests")
    return found


def _is_digests(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _write(roots: dict[str, list[str]]) -> None:
    """Write the store atomically: a torn file would trust nothing, or the wrong projects."""
    new = _file().with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(roots, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(_file())
