"""SSH: one warm connection per host, and the processes that run over it."""
