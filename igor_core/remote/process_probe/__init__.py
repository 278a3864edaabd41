"""What looks at Python processes from beside them: in their container, or on the host itself.

Standard library, Python 3.6+; nothing is installed and no process is stopped.

    processes    which Python processes there are: /proc (proc(5))
    access       whether the kernel lets this user look into another process, and why not
    py_spy       stacks read from a process's memory by py-spy
    dumps        stacks that a process itself writes, where `sitecustomize` has registered it
    means        what a debugger would need to attach
    main         the command line: one line of JSON in, one out

Two stand alone: `adapter`, through which debuggers come to a process, and `sitecustomize`, which
goes to /run/igor and runs in the programs.
"""
