"""The debug helper: runs beside the debugged program (standard library, Python 3.6+).

Helper, program and debugpy run on one host, or in one container:

    controller   `serve`, `control`: joins the client, which is igor's agent or a terminal, with
                 the keeper. Ends with its input.
    keeper       owns the program: its pipes, the last of its output, its end. Outlives the
                 controller for the grace time.
    relay        `relay`: one debugger's connection, standard input and output ⇄ debugpy's port.
                 When it is cut off it parks its connection with the keeper for the next debugger,
                 whose relay resumes it (dialogue, resume).

Only debugpy listens on the loopback; the keeper has a unix socket in a folder that only its user
may enter. Never connect to debugpy's port to probe it: its adapter would serve no other client.
"""
