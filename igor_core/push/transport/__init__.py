"""Carrying a push to a host: by a channel to the receiver, or by rsync (see `rsync`).

`Transport` (base) is the interface, `Work` what it carries out, `TreeOpener` (open_tree) chooses
one for a host.
"""
