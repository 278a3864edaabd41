"""Notes to the editor in whose terminal igor runs, between the program's output.

An editor that wants them puts a mark into the environment. A note is an operating system command
(OSC, ECMA-48 8.3.89) with that mark, which the program on the host can't know; a terminal that
takes no notice shows nothing.
"""

import os

VARIABLE = "IGOR_TERMINAL"
# No terminal sends this by itself.
_NUMBER = 7707
#: igor connects, pushes, starts the program.
STARTING = "starting"
#: The program has the terminal.
RUNNING = "running"
#: It reads a line, or a block, and takes what comes in brackets (bracketed paste) as one text; this
#: one of a program that draws its line itself, as IPython does, and not by readline.
PROMPT, EDITOR = "prompt", "editor"
#: It has read it.
BUSY = "busy"
#: It is out of reach, and igor asks whether to start again.
LOST = "lost"


def note(what: str) -> bytes:
    """Return what to write to the terminal: nothing if no editor has asked for notes."""
    mark = os.environ.get(VARIABLE, "")
    return f"\x1b]{_NUMBER};{mark};{what}\x1b\\".encode() if mark.isalnum() else b""
