"""Notes to the editor in whose terminal igor runs, between the program's output.

An editor that wants notes puts a mark into the environment. A note is an operating system command
(OSC, ECMA-48 8.3.89) with that mark, which the program on the host can't know; a terminal that
doesn't understand a note shows nothing.
"""

import os

VARIABLE = "IGOR_TERMINAL"
# No terminal sends this by itself.
_NUMBER = 7707
#: igor connects, pushes, starts the program.
STARTING = "starting"
#: The program has the terminal.
RUNNING = "running"
#: It reads a line, or a block, and takes a bracketed paste as one text. EDITOR is for a program
#: that draws its input line itself, as IPython does, instead of using readline.
PROMPT, EDITOR = "prompt", "editor"
#: It has read the line or block.
BUSY = "busy"
#: The connection to it was lost, and igor asks whether to start again.
LOST = "lost"


def note(what: str) -> bytes:
    """Return the note as text for the terminal: nothing if no editor has asked for notes."""
    mark = os.environ.get(VARIABLE, "")
    return f"\x1b]{_NUMBER};{mark};{what}\x1b\\".encode() if mark.isalnum() else b""
