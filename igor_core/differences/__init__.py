"""Two versions of a path, for a person to compare and to settle."""
