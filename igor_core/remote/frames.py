"""What igor's programs on hosts have in common: their frames. Runs on hosts (Python 3.6+).

A program greets with a line of its own, since a login shell may print something first, and then
both sides send frames: kind (8 bits), number (32: a process, a request), length of the payload
(32), big-endian; the payload. Two kinds are the same in all programs:

    BEAT     8   both   the host echoes the payload
    READY   16   host   JSON: what the program says of itself; its first frame
"""

import struct

HEADER = struct.Struct(">BII")
BEAT = 8
READY = 16
# Without anything heard for so long, each side takes the other for gone.
SILENCE_SECONDS = 30.0
