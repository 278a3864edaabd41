"""Checks of each layer, on the local machine and on a host: gather facts, then judge them.

`local_facts`, `local_port` and `ask` look; `parse` and `engine_facts` read what was printed;
`local`, `host`, `engine` and `ports` judge, and are pure.
"""
