"""The local tree: which files belong to it, and which of them have changed."""
