"""State that outlives a job."""
