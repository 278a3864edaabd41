"""Push: what belongs to the tree, what a host has of it, and bringing the two together."""
