"""The table of verbs, and how the words after a verb are read, in the terminal and in Neovim.

Terminal, agent, bridge, completion and the checks read the table; lua/igor/command/generated.lua is
generated from it. This package imports nothing heavy: `igor --version` loads it.
"""
