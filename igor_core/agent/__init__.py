"""The agent: one process per user that owns the connections and runs the jobs."""
