"""The process probe: finds Python processes in a container or on a host, and reads their stacks.

Standard library, Python 3.6+; it installs nothing and stops no process.

    processes    the Python processes, from /proc (proc(5))
    access       whether the kernel lets this user trace another process, and if not, why
    py_spy       stacks that py-spy reads from a process's memory
    dumps        stacks that a process writes itself, if `sitecustomize` has registered it
    means        what a debugger needs to attach
    main         the command line: one line of JSON in, one out

Two modules stand alone: `adapter` runs debugpy's adapter for a process, and `sitecustomize` goes to
/run/igor and runs in the programs.
"""
