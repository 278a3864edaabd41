"""Checks of each layer, on this machine and on a host: facts are gathered, then judged.

`local_facts`, `local_port` and `ask` look; `parse` and `engine_facts` read what was printed;
`local`, `host`, `engine` and `ports` judge, and are pure.
"""
