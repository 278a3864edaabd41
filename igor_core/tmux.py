"""tmux as argument lists: the only place that knows the words of its command line. Needs tmux 2.1.

Pure: nothing here runs anything. All sessions are on a server of igor's own, beside the user's,
without the user's settings: what runs in one is to look as if there was no tmux.
"""

import hashlib
import re
from collections.abc import Sequence

#: The terminal that programs in a session have.
TERM = "screen-256color"
#: How a person leaves a session without ending it.
LEAVE = "ctrl-\\ d"
#: In the name of a session without words.
DEFAULT = "default"

_SERVER = ["tmux", "-L", "igor", "-f", "/dev/null", "-u"]
# The prefix is a key that programs rarely want, and ctrl-\ ctrl-\ sends it.
_OPTIONS = (
    ("set-option", "-g", "status", "off"),
    ("set-option", "-g", "prefix", "C-\\"),
    ("bind-key", "C-\\", "send-prefix"),
    ("set-option", "-s", "escape-time", "20"),
    ("set-option", "-g", "history-limit", "50000"),
    ("set-option", "-g", "default-terminal", TERM),
    ("set-option", "-g", "terminal-overrides", ",*:Tc"),
)


def session_name(container: str, words: Sequence[str]) -> str:
    """The name of the session of a command in a container; without words, the default command.

    tmux takes neither "." nor ":" in names. A digest stands for what can't be part of one.
    """
    command = " ".join(words)
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", command.rpartition("/")[2])[:24] or DEFAULT
    if words and (label != command or label == DEFAULT):
        label += "-" + hashlib.sha256("\0".join(words).encode(errors="replace")).hexdigest()[:8]
    return f"{container.replace('.', '+')}/{label}"


def has_session(name: str) -> list[str]:
    """The command that exits with 0 if the session exists."""
    return [*_SERVER, "has-session", "-t", f"={name}"]


def attach(name: str) -> list[str]:
    """The command that attaches to the session, beside other clients."""
    return [*_SERVER, "attach-session", "-t", f"={name}"]


def attach_or_start(name: str, command: Sequence[str], folder: str) -> list[str]:
    """The command that attaches to the session, or makes it to run `command` in `folder`."""
    words = [*_SERVER, "start-server", ";"]
    for option in _OPTIONS:
        words += [*option, ";"]
    return [*words, "new-session", "-A", "-s", name, "-c", folder, "--", *map(_word, command)]


def end(name: str) -> list[str]:
    return [*_SERVER, "kill-session", "-t", f"={name}"]


def _word(word: str) -> str:
    """Escape a ";" at the end of a word, which would end tmux's command."""
    return word[:-1] + "\\;" if word.endswith(";") else word
