"""A first config: the questions, the text made from the answers, and the file."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import Field, dataclass
from pathlib import Path
from typing import Any, get_origin

from igor_core.config.check import keys, required
from igor_core.config.discover import Discovered, discover
from igor_core.config.model import DEFAULT_GROUP, Config
from igor_core.config.problem import ConfigError
from igor_core.config.project import CONFIG_FILE
from igor_core.config.read import parse
from igor_core.errors import UsageError

__all__ = ["ConfigQuestion", "Discovered", "discover", "questions", "render", "write"]

SOUND = {"host": "host", "dir": "/"}  # valid answers beside the one that is checked


@dataclass(frozen=True)
class ConfigQuestion:
    """A question about one key. `check` returns what is wrong with an answer, or None.

    An answer to `host`, or to a key that holds a list, separates its values by commas. `offers`
    are values that were found. An empty answer leaves the key out.
    """

    key: str
    text: str
    default: str
    check: Callable[[str], str | None]
    offers: tuple[str, ...] = ()


def questions(found: Discovered) -> list[ConfigQuestion]:
    """Return the questions for a first config, in order; their keys are those of `render`."""
    first_host = found.hosts[0] if found.hosts else ""
    runtime = "docker" if found.dockerfiles else "none"
    asked = [
        _question("host", "Hosts, as you name them to ssh (several: a,b)", first_host, found.hosts),
        _question("dir", "Folder on the hosts for the project's folder", "~/igor"),
        _question("runtime", "Container engine on the hosts: docker, podman or none", runtime),
    ]
    if found.dockerfiles:
        dockerfile, rebuild = found.dockerfiles[0], ", ".join(found.rebuild_files)
        asked += [
            _question("dockerfile", "Dockerfile", dockerfile, found.dockerfiles),
            _question(
                "docker_rebuild_files",
                "Files that rebuild the image when they change",
                rebuild,
                found.rebuild_files,
            ),
        ]
    return [*asked, _question("repl_cmd", "Command of the REPL (empty: IPython or Python)", "")]


def render(
    answers: Mapping[str, str],
    group: str = DEFAULT_GROUP,
    hosts: Sequence[Mapping[str, str]] = (),
) -> str:
    """Return the text of a config with one group. Raises ConfigError for a wrong answer.

    `answers` has `host` (several separated by commas) and `dir`, and may have any key of Config
    that holds a string, a number or an array. Empty answers and defaults are left out. `hosts`,
    each with its own `dir`, replace those in `answers`.
    """
    import json

    config: dict[str, object] = {
        field.name: _value(field, answers[field.name])
        for field in keys(Config)
        if answers.get(field.name, "") not in ("", field.default)
    }
    names = dict.fromkeys(_split(answers.get("host", "")))
    named = [{"host": name, "dir": answers.get("dir", "")} for name in names]
    config["host_groups"] = {group: {"hosts": list(hosts) or named}}
    text = json.dumps(config, indent=4, ensure_ascii=False) + "\n"
    parse(text.encode("utf-8", "surrogatepass"), CONFIG_FILE)
    return text


def write(root: Path, text: str) -> Path:
    """Create `.igor/config.json` in `root` and return its path.

    Raises UsageError when the file exists or can't be created. An existing file is never touched,
    and a failure leaves nothing behind.
    """
    file = root / CONFIG_FILE
    try:
        _make(root, text)
    except NotADirectoryError as error:
        raise UsageError(
            f"{file.parent} is a link or a file; igor writes to a real folder only",
            "replace it by a folder",
        ) from error
    except FileExistsError as error:
        raise UsageError(f"{file} exists already", "edit it, or move it away first") from error
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror}") from error
    return file


def _question(key: str, text: str, default: str, offers: tuple[str, ...] = ()) -> ConfigQuestion:
    return ConfigQuestion(key, text, default, lambda answer: _complaint(key, answer), offers)


def _complaint(key: str, answer: str) -> str | None:
    try:
        render({**SOUND, key: answer})
    except ConfigError as error:
        return error.problems[0].message
    return None


def _value(field: "Field[Any]", answer: str) -> object:
    kind = required(field.type)
    if get_origin(kind) is tuple:
        return _split(answer)
    return int(answer) if kind is int and answer.isdecimal() else answer


def _split(answer: str) -> list[str]:
    return [part.strip() for part in answer.split(",") if part.strip()]


def _make(root: Path, text: str) -> None:
    """Follow no link: it may have come with a cloned repository, and lead anywhere."""
    folder, name = CONFIG_FILE.parts
    with ExitStack() as opened, ExitStack() as undo:
        above = _opened(root, opened)
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=above)
            undo.callback(os.rmdir, folder, dir_fd=above)
        inside = _opened(folder, opened, dir_fd=above, flags=os.O_NOFOLLOW)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o666, dir_fd=inside)
        undo.callback(os.unlink, name, dir_fd=inside)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        undo.pop_all()


def _opened(
    folder: str | Path, opened: ExitStack, dir_fd: int | None = None, flags: int = 0
) -> int:
    flags |= os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(folder, flags, dir_fd=dir_fd)
    opened.callback(os.close, descriptor)
    return descriptor
