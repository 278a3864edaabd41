"""What several recipes do."""
