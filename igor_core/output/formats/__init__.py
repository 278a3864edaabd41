"""Readers of the formats in which compilers, linters, interpreters and test runners report."""
