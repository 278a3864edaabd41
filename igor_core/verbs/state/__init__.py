"""What lives between jobs."""
