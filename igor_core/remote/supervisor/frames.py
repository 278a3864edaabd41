"""The frames between the agent and the supervisor. Run on hosts too (Python 3.6+).

Headers as in remote/frames.py; the number of a frame is that of a process.

    kind         from   payload
    START    1   agent  JSON: argv, cwd, env, pty ([columns, rows] or null), announce, end
    DATA     2   agent  bytes for the standard input
    EOF      3   agent
    WINDOW   4   agent  columns, rows (16 bits each)
    SIGNAL   5   agent  the signal's name, without SIG
    CREDIT   6   both   how many more bytes may be sent (32 bits)
    END      7   agent  kill it: INT, then TERM, then KILL
    BEAT     8   both   the host echoes the payload
    READY   16   host   JSON: pid, python, uid, gid, user, home
    STDOUT  17   host   bytes
    STDERR  18   host   bytes
    EXIT    19   host   JSON: status (128 + n for signal n), ended (which signal did it), error

`announce`: the first line of the program's output is "\\x1eigor-pid:N\\n", the number of its
process group inside the container. The supervisor removes the line, and puts N in place of
"{pid}" in `end`, the command that kills that group; the last word of that command's output names
the signal that did it.
"""

MAGIC = b"\0igor-supervisor-1\n"

START, DATA, EOF, WINDOW, SIGNAL, CREDIT, END = range(1, 8)
STDOUT, STDERR, EXIT = range(17, 20)

#: Either side may send this much before the other grants more.
WINDOW_BYTES = 2 << 20
