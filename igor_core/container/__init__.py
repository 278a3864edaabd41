"""Images and containers on hosts: inspect, decide, and the commands that act."""
