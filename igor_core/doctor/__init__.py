"""Checks of each layer, on this machine and on a host: facts are gathered, then judged.

Modules named *_facts ask (this machine, or a host through its connection); the others judge and
are pure.
"""
