"""push: on each host, make the tree equal to the local one."""
