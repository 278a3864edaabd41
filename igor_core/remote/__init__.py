"""Programs that run on hosts and in containers: Python 3.6 or later, its standard library only.

    supervisor     owns the programs that igor runs on a host; kills them if the connection is cut
    receiver       writes and surveys the files of a project's remote tree
    debug_helper   runs a program under debugpy, and relays debuggers to it
    process_probe  lists Python processes and reads their stacks

`packer` packs each of them to be sent over the wire; it runs locally.
"""
