"""The local port behind which a debugged program is."""
