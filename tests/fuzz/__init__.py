"""Hostile bytes, texts and names for all that reads what a program, a host or a repository wrote.

`make test` runs the same few examples each time; `make fuzz` others, for an hour.
"""
