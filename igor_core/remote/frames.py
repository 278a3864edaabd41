"""The frames of igor's programs on hosts. Runs on hosts (Python 3.6+).

A program greets with a line of its own, since a login shell may print something first. Then both
sides send frames: kind (8 bits), number of a process or a request (32), length of the payload (32),
all big-endian; then the payload. Two kinds are the same in all programs:

    BEAT     8   both   the host echoes the payload
    READY   16   host   JSON: facts about the program; its first frame
"""

import struct

HEADER = struct.Struct(">BII")
BEAT = 8
READY = 16
# After this much silence, each side takes the other for gone.
SILENCE_SECONDS = 30.0
