"""The receiver on the hosts, and the agent's end of it."""
