"""What the laptop has: which files belong to the tree, and what has changed of them."""
