"""Push: make a host's tree equal to the local one, without losing what others changed on the host.

A save (`save`) sends a few paths at once, a full push (`full`) compares both sides; both plan by
the same rules (`plan`) and carry the plan out by `push`. On its way a saved path is, in turn:

- a `File` (worktree), what lstat sees of it;
- a `Change` (plan), the file with its content, read once for all hosts;
- a `Write` (transport.work), with what is expected on the host;
- a `Record` (record) in the manifest, first as an intent, then as what the host has.

`channel` speaks with the receiver on the host; `transport` carries work by it or by rsync; `sync`
keeps hosts up to date with a local clone.
"""
