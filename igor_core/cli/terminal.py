"""Ask the user at the terminal."""

import os
import termios
from typing import Any

from igor_core.cli.text import printable

TERMINAL = "/dev/tty"
NO_ECHO = termios.ECHO | termios.ECHONL


def in_foreground(descriptor: int) -> bool:
    """Return whether this process can read the terminal without being stopped (SIGTTIN)."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def somebody_there() -> bool:
    """Return whether igor has a terminal and is in its foreground."""
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return in_foreground(descriptor)
    finally:
        os.close(descriptor)


class Question:
    """One question asked on the terminal itself, whatever stdin and stdout are.

    Entering writes the question; `fileno` is readable when a line was typed. Leaving restores the
    terminal. Raises OSError if there is no terminal.
    """

    def __init__(self, text: str, echo: bool) -> None:
        self._text = text
        self._echo = echo
        self._descriptor = -1
        self._before: list[int | list[bytes | int]] | None = None

    def __enter__(self) -> "Question":
        self._descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        if not self._echo:
            self._hide()
        self._write(self._text)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._before is not None:
            # Keys typed too early must not appear, or run in a shell, afterwards.
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._before)
            self._write("\n")
        os.close(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def answer(self) -> str | None:
        """Return the typed line, None at the end of input (ctrl-d)."""
        line = os.read(self._descriptor, 4096)
        return os.fsdecode(line).rstrip("\r\n") if line else None

    def _hide(self) -> None:
        self._before = termios.tcgetattr(self._descriptor)
        hidden = termios.tcgetattr(self._descriptor)
        hidden[3] &= ~NO_ECHO
        termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, hidden)

    def _write(self, text: str) -> None:
        os.write(self._descriptor, text.encode(errors="backslashreplace"))


def question_text(prompt: dict[str, Any]) -> str:
    """Return the question of a prompt event, with its host if the text does not name it."""
    text = "\n".join(printable(line) for line in prompt["text"].split("\n"))
    host = printable(prompt["host"])
    return text if host in text else f"{host}: {text}"
