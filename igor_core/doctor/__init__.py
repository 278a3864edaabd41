"""Checks of each layer that igor stands on, local and on a host. Facts are gathered, then judged.

`*_facts`, `host_script` and `local_port` gather and parse; the other modules judge, and are pure.
"""
