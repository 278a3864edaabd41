"""The receiver as a program to send: its modules, its greeting, and its limits."""

from igor_core.remote.packer import Bundle
from igor_core.remote.receiver import frames
from igor_core.shapes import items, members, number
from igor_core.ssh.remote_program import NoPython, ProgramSpec

NoReceiver = NoPython

RECEIVER = ProgramSpec(
    Bundle("igor_core.remote.receiver.receiver"),
    frames.MAGIC,
    members({"pid": number(1), "python": items(number(), 3, 3)}),
    # CONTENT has one byte more than what was read.
    frames.MOST_BYTES + 1,
)
