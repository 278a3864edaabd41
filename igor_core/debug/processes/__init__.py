"""Python processes that run already: stacks, and who can attach."""
