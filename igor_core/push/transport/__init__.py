"""How a push reaches a host: through the receiver, or rsync and sh."""
