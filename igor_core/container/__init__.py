"""Images and containers on hosts: what is there, what is to be done, and the commands for it."""
