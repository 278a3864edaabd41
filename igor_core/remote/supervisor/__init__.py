"""The supervisor: owns the processes that igor starts on a host."""
