"""The helper: runs where the debugged program runs (standard library, Python 3.6+).

Python, the program and debugpy are all on one machine, or in one container:

    controller   `serve`, `control`: joins the far end, which is igor's agent or a terminal, with
                 the keeper. Ends with its input.
    keeper       owns the program: its pipes, the last of its output, its end. Outlives the
                 controller for the grace.
    relay        `relay`: one debugger's connection, standard input and output ⇄ debugpy's port.
                 Cut off, it gives the keeper its connection (parked) for the next debugger, whose
                 relay goes on with it (dialogue, resume).

debugpy listens on the loopback and nothing else does: the keeper has a unix socket in a folder
that only its user may enter. Its port is never tried by connecting: that would break it for good.
"""
